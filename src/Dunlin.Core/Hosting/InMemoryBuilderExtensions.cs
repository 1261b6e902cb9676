using Dunlin.Accounts;
using Dunlin.Journal;
using Dunlin.Journal.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Hosting;

/// <summary>The in-memory back end.</summary>
public static class InMemoryBuilderExtensions
{
    /// <summary>Keeps everything in memory: for tests and for trying things out. Nothing outlives the process.</summary>
    public static DunlinBuilder AddInMemory(this DunlinBuilder builder)
    {
        builder.AddStoreBasics();
        var services = builder.Services;
        services.TryAddSingleton<InMemoryStore>();
        services.TryAddSingleton<IJournal>(provider => provider.GetRequiredService<InMemoryStore>());
        services.TryAddSingleton<IStore>(provider => provider.GetRequiredService<InMemoryStore>());
        services.TryAddSingleton<IStoreHealth>(provider => provider.GetRequiredService<InMemoryStore>());
        services.TryAddSingleton<InMemoryAccountStore>();
        services.TryAddSingleton<IAccountStore>(provider => provider.GetRequiredService<InMemoryAccountStore>());
        services.TryAddSingleton<ISessionStore>(provider => provider.GetRequiredService<InMemoryAccountStore>());
        return builder;
    }

    /// <summary>What a back end needs that several nodes share: changes of access reach all of them, and they can ask each other.
    /// For authors of back ends.</summary>
    public static DunlinBuilder AddSharedStore(this DunlinBuilder builder)
    {
        builder.Services.TryAddSingleton<SharedStore>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, NodeGreeting>());
        return builder;
    }

    /// <summary>What every back end needs beside itself: the clock, the commit feed, retention. For authors of back ends, who
    /// call it first.</summary>
    /// <exception cref="InvalidOperationException">A back end is registered already: there is one journal.</exception>
    public static DunlinBuilder AddStoreBasics(this DunlinBuilder builder)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(IJournal)))
            throw new InvalidOperationException("A store is registered already. Call one of AddInMemory, AddSqlite and AddPostgres, once.");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StoreClock>();
        services.TryAddSingleton<CommitFeed>();
        services.AddOptions<RetentionOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RetentionService>());
        return builder;
    }
}
