using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.InMemory;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the in-memory store.</summary>
public static class InMemoryBuilderExtensions
{
    /// <summary>Adds the in-memory store, for tests and trials. All data is lost when the process ends.</summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="InvalidOperationException">A store is registered already.</exception>
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
