using Dunlin.Access;
using Dunlin.Backplane;
using Dunlin.Cluster;
using Dunlin.Devices;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the engine without HTTP. <c>AddDunlin()</c> of Dunlin.AspNetCore calls it.</summary>
public static class CoreServices
{
    /// <summary>Adds the engine. A back end (<c>AddSqlite</c>, <c>AddInMemory</c>, ...) must be added to the builder.</summary>
    public static DunlinBuilder AddDunlinCore(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new TimerWheel(
            provider.GetRequiredService<TimeProvider>(),
            error => WheelLog.EntryFailed(provider.GetRequiredService<ILogger<TimerWheel>>(), error)
        ));
        services.TryAddSingleton<BackgroundLoops>();
        services.TryAddSingleton<CommitFeed>();
        services.TryAddSingleton<IBackplane, InProcessBackplane>();
        services.TryAddSingleton<AccessChanges>();
        services.AddHostedSingleton<AccessRelay>();
        services.TryAddSingleton<AccessPolicies>();
        services.TryAddSingleton<FanoutInstruments>();
        services.TryAddSingleton<EventFanout>();
        services.TryAddSingleton<ClusterQuery>();
        services.TryAddSingleton<LeaseInstruments>();
        services.TryAddSingleton<LeaseService>();
        services.TryAddSingleton<ILeases, StoreLeases>();
        services.AddHostedSingleton<DisconnectMonitor>();
        services.AddHostedSingleton<PresenceRegistry>();
        services.AddHostedSingleton<UserDevices>();
        services.AddOptions<FanoutOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<LeaseOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RetentionOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PresenceOptions>();
        services.AddOptions<HostingOptions>();
        services.AddHostedSingleton<DunlinNode>();
        return new DunlinBuilder(services);
    }
}

internal static partial class WheelLog
{
    [LoggerMessage(1210, LogLevel.Error, "A scheduled callback failed. Its work is late or is not done; report the exception.")]
    public static partial void EntryFailed(ILogger logger, Exception error);
}
