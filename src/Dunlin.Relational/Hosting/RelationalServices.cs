using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Accounts;
using Dunlin.Relational.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Relational.Hosting;

/// <summary>Registers a store and all that stands on it.</summary>
internal static class RelationalServices
{
    /// <summary>Adds a store that one process opens, or (see <see cref="AddSharedRelationalStore"/>) several nodes.</summary>
    public static DunlinBuilder AddRelationalStore<TStore>(this DunlinBuilder builder, Func<IServiceProvider, TStore> create)
        where TStore : RelationalStore
    {
        builder.AddStoreBasics();
        var services = builder.Services;
        services.TryAddSingleton(create);
        services.TryAddSingleton<RelationalStore>(provider => provider.GetRequiredService<TStore>());
        services.TryAddSingleton<IJournal>(provider => provider.GetRequiredService<TStore>());
        services.TryAddSingleton<IStore>(provider => provider.GetRequiredService<TStore>());
        services.TryAddSingleton<IStoreHealth>(provider => provider.GetRequiredService<TStore>());
        services.TryAddSingleton<IAccountStore, AccountStore>();
        services.TryAddSingleton<ISessionStore, SessionStore>();
        services.AddHostedSingleton<StoreOpener>();
        return builder;
    }

    /// <summary>Adds a store that several nodes share. The caller adds its backplane and calls <c>AddSharedStore</c> after it.</summary>
    public static DunlinBuilder AddSharedRelationalStore<TStore>(this DunlinBuilder builder, Func<IServiceProvider, TStore> create)
        where TStore : RelationalStore
    {
        builder.AddRelationalStore(create);
        var services = builder.Services;
        services.TryAddSingleton<ISecretStore, SecretStore>();
        // In place of the one that AddTokens adds, whichever came first: a ticket of one node is used at another.
        services.Replace(ServiceDescriptor.Singleton<ITicketStore, TicketStore>());
        services.AddHostedSingleton<LeaseSweeper>();
        return builder;
    }

    /// <summary>Opens the store before any hosted service starts, so that a bad database stops the host at once. It is closed when the
    /// host disposes its services, after all of them have stopped.</summary>
    private sealed class StoreOpener(RelationalStore store) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => store.OpenAsync(cancellationToken);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
