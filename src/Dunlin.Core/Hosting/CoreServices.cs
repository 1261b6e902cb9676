using Dunlin.Access;
using Dunlin.Backplane;
using Dunlin.Cluster;
using Dunlin.Devices;
using Dunlin.DurableStreams;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the engine without HTTP. <c>AddDunlin()</c> of Dunlin.AspNetCore calls it.</summary>
internal static class CoreServices
{
    /// <summary>Adds the engine. Then add a store to the builder (<c>AddSqlite</c>, <c>AddPostgres</c> or <c>AddInMemory</c>).</summary>
    /// <param name="services">The services of the application.</param>
    /// <returns>The builder for stores, policies and schemas.</returns>
    /// <example>
    /// <code>
    /// services.AddDunlinCore().AddInMemory();
    /// </code>
    /// </example>
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
        // Factories: the constructors of public services are internal, because their parameters are.
        services.TryAddSingleton(provider => new EventFanout(
            provider.GetRequiredService<IJournal>(),
            provider.GetRequiredService<CommitFeed>(),
            provider.GetRequiredService<IBackplane>(),
            provider.GetRequiredService<TimerWheel>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IOptions<FanoutOptions>>(),
            provider.GetRequiredService<FanoutInstruments>(),
            provider.GetRequiredService<ILogger<EventFanout>>()
        ));
        services.TryAddSingleton(provider => new ClusterQuery(
            provider.GetRequiredService<EventFanout>(),
            provider.GetRequiredService<TimerWheel>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ClusterQuery>>()
        ));
        services.TryAddSingleton(provider => new DurableStreamReader(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<IJournal>()
        ));
        services.TryAddSingleton<LeaseInstruments>();
        services.TryAddSingleton(CreateLeases);
        services.TryAddSingleton<ILeases, StoreLeases>();
        services.AddHostedSingleton<DisconnectMonitor>();
        services.AddHostedSingleton(provider => new PresenceRegistry(
            provider.GetRequiredService<EventFanout>(),
            provider.GetRequiredService<TimerWheel>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IOptions<PresenceOptions>>(),
            provider.GetRequiredService<ClusterQuery>()
        ));
        services.AddHostedSingleton(provider => new UserDevices(
            provider.GetRequiredService<EventFanout>(),
            provider.GetRequiredService<IJournal>(),
            provider.GetServices<ChannelRule>(),
            provider.GetRequiredService<ClusterQuery>()
        ));
        services.AddValidatedOptions<FanoutOptions, FanoutOptionsValidator>();
        services.AddValidatedOptions<LeaseOptions, LeaseOptionsValidator>();
        services.AddValidatedOptions<RetentionOptions, RetentionOptionsValidator>();
        services.AddOptions<PresenceOptions>();
        services.AddOptions<HostingOptions>();
        services.AddHostedSingleton<DunlinNode>();
        return new DunlinBuilder(services);
    }

    // The service stands on the store, and unit.Leases of the store's units on the service: one of the two is connected afterwards.
    private static LeaseService CreateLeases(IServiceProvider provider)
    {
        var store = provider.GetRequiredService<IStore>();
        var leases = new LeaseService(
            store,
            provider.GetServices<LeaseAnnouncerRule>(),
            provider.GetRequiredService<TimerWheel>(),
            provider.GetRequiredService<IOptions<LeaseOptions>>(),
            provider.GetRequiredService<LeaseInstruments>(),
            provider.GetRequiredService<ILogger<LeaseService>>()
        );
        store.UseLeases(leases);
        return leases;
    }
}

internal static partial class WheelLog
{
    [LoggerMessage(1210, LogLevel.Error, "A scheduled callback failed. Its work is late or is not done; report the exception.")]
    public static partial void EntryFailed(ILogger logger, Exception error);
}
