using Dunlin.Accounts;
using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Postgres.Accounts;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Hosting;
using Dunlin.Postgres.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Hosting;

/// <summary>The store for several nodes.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Keeps journal, leases, accounts and the application's tables in this PostgreSQL database.</summary>
    public static DunlinBuilder AddPostgres(this DunlinBuilder builder, string connectionString) =>
        builder.AddPostgres(options => options.ConnectionString = connectionString);

    /// <summary>Keeps journal, leases, accounts and the application's tables in one PostgreSQL database, opened before anything
    /// else in the host starts. Any number of nodes may share it; they find each other's commits by themselves.</summary>
    public static DunlinBuilder AddPostgres(this DunlinBuilder builder, Action<PostgresOptions> configure)
    {
        builder.AddStoreBasics();
        var services = builder.Services;
        services.AddOptions<PostgresOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<PostgresStore>();
        services.TryAddSingleton<IJournal>(provider => provider.GetRequiredService<PostgresStore>());
        services.TryAddSingleton<IStore>(provider => provider.GetRequiredService<PostgresStore>());
        services.TryAddSingleton<IStoreHealth>(provider => provider.GetRequiredService<PostgresStore>());
        services.TryAddSingleton<IAccountStore, PostgresAccountStore>();
        services.TryAddSingleton<ISessionStore, PostgresSessionStore>();
        services.TryAddSingleton<ISecretStore, PostgresSecretStore>();
        // In place of the one that AddTokens adds, whichever came first: a ticket of one node is used at another.
        services.Replace(ServiceDescriptor.Singleton<ITicketStore, PostgresTicketStore>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PostgresOpener>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, LeaseSweeper>());
        services.TryAddSingleton<PostgresBackplane>();
        services.TryAddSingleton<IStoreBackplane>(provider => provider.GetRequiredService<PostgresBackplane>());
        // In place of the one for a single process; one that leans on this stays, whichever was added first.
        if (services.LastOrDefault(service => service.ServiceType == typeof(IBackplane)) is not { } other || other.ImplementationType == typeof(InProcessBackplane))
            services.Replace(ServiceDescriptor.Singleton<IBackplane>(provider => provider.GetRequiredService<PostgresBackplane>()));
        services.AddHostedService(provider => provider.GetRequiredService<PostgresBackplane>());
        builder.AddSharedStore();
        return builder;
    }
}
