using Dunlin.Cluster;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What every back end registers beside itself. For authors of back ends.</summary>
public static class StoreBuilderExtensions
{
    /// <summary>What a back end needs that several nodes share: changes of access reach all of them, and they can ask each other.
    /// For authors of back ends.</summary>
    public static DunlinBuilder AddSharedStore(this DunlinBuilder builder)
    {
        builder.Services.TryAddSingleton<SharedStore>();
        builder.Services.AddHostedSingleton<NodeGreeting>();
        return builder;
    }

    /// <summary>What every back end needs beside itself: the clock, the commit feed, retention. For authors of back ends, who
    /// call it first.</summary>
    /// <exception cref="InvalidOperationException">A back end is registered already: there is one journal.</exception>
    public static DunlinBuilder AddStoreBasics(this DunlinBuilder builder)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(IJournal)))
            throw new InvalidOperationException("A store is already registered. Call one of AddInMemory, AddSqlite and AddPostgres, once.");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StoreClock>();
        services.TryAddSingleton<BackgroundLoops>();
        services.TryAddSingleton<CommitFeed>();
        services.AddOptions<RetentionOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddHostedSingleton<RetentionService>();
        return builder;
    }
}
