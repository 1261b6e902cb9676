using Dunlin.Cluster;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the services that every store needs. For authors of stores.</summary>
internal static class StoreBuilderExtensions
{
    /// <summary>
    /// Adds the services for a store that several nodes share: relaying of access changes, and queries between nodes. For authors of
    /// stores.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static DunlinBuilder AddSharedStore(this DunlinBuilder builder)
    {
        builder.Services.TryAddSingleton<SharedStore>();
        builder.Services.AddHostedSingleton<NodeGreeting>();
        return builder;
    }

    /// <summary>
    /// Adds the services that every store needs: the clock, the commit feed and retention. For authors of stores. Call it first.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="InvalidOperationException">A store is registered already.</exception>
    public static DunlinBuilder AddStoreBasics(this DunlinBuilder builder)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(IJournal)))
            throw new InvalidOperationException("A store is already registered. Call one of AddInMemory, AddSqlite and AddPostgres, once.");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StoreClock>();
        services.TryAddSingleton<BackgroundLoops>();
        services.TryAddSingleton<CommitFeed>();
        services.AddValidatedOptions<RetentionOptions, RetentionOptionsValidator>();
        services.AddHostedSingleton<RetentionService>();
        return builder;
    }
}
