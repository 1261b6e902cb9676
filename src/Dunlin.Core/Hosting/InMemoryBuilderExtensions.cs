using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.InMemory;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

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
}
