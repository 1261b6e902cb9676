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
        services.TryAddSingleton(CreateLeases);
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

    // The service stands on the store, and unit.Leases of the store's units on the service: one of the two is connected afterwards.
    private static LeaseService CreateLeases(IServiceProvider provider)
    {
        var leases = ActivatorUtilities.CreateInstance<LeaseService>(provider);
        provider.GetRequiredService<IStore>().UseLeases(leases);
        return leases;
    }
}

internal static partial class WheelLog
{
    [LoggerMessage(1210, LogLevel.Error, "Something that was due failed")]
    public static partial void EntryFailed(ILogger logger, Exception error);
}
