using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Accounts;
using Dunlin.Relational.Leases;
using Dunlin.Relational.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Relational.Hosting;

/// <summary>Registers a store and the services on top of it.</summary>
internal static class RelationalServices
{
    /// <summary>Adds a store that one process opens. For several nodes, call <see cref="AddSharedRelationalStore"/>.</summary>
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
        services.TryAddSingleton<StoreOutbox>();
        services.TryAddSingleton<IOutbox>(provider => provider.GetRequiredService<StoreOutbox>());
        services.AddHostedSingleton<OutboxMover>();
        return builder;
    }

    /// <summary>Adds a store that several nodes share. The caller then adds its backplane, and calls <c>AddSharedStore</c> after
    /// it.</summary>
    public static DunlinBuilder AddSharedRelationalStore<TStore>(this DunlinBuilder builder, Func<IServiceProvider, TStore> create)
        where TStore : RelationalStore
    {
        builder.AddRelationalStore(create);
        var services = builder.Services;
        services.TryAddSingleton<ISecretStore, SecretStore>();
        // Replaces the ticket store of AddTokens in either order of calls, because one node must redeem the tickets of another.
        services.Replace(ServiceDescriptor.Singleton<ITicketStore, TicketStore>());
        services.AddHostedSingleton<LeaseSweeper>();
        return builder;
    }

    /// <summary>Opens the store before any hosted service starts, so that a faulty database stops the start of the host. The host closes
    /// the store when it disposes its services, after all of them have stopped.</summary>
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
