using System.Diagnostics.Metrics;
using Dunlin.Backplane;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Postgres.Backplane;
using Dunlin.Relational.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

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
        var services = builder.AddSharedRelationalStore(provider => new PostgresStore(
            provider.GetRequiredService<IOptions<PostgresOptions>>(),
            provider.GetRequiredService<IOptions<RetentionOptions>>(),
            provider.GetServices<SchemaScripts>(),
            provider.GetRequiredService<CommitFeed>(),
            provider.GetRequiredService<StoreClock>(),
            provider.GetRequiredService<ILogger<PostgresStore>>(),
            provider.GetService<IMeterFactory>()
        )).Services;
        services.AddOptions<PostgresOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<PostgresBackplane>();
        services.TryAddSingleton<IStoreBackplane>(provider => provider.GetRequiredService<PostgresBackplane>());
        // In place of the one for a single process; one that leans on this stays, whichever was added first.
        if (
            services.LastOrDefault(service => service.ServiceType == typeof(IBackplane)) is not { } other
            || other.ImplementationType == typeof(InProcessBackplane)
        )
            services.Replace(ServiceDescriptor.Singleton<IBackplane>(provider => provider.GetRequiredService<PostgresBackplane>()));
        services.AddHostedService(provider => provider.GetRequiredService<PostgresBackplane>());
        builder.AddSharedStore();
        return builder;
    }
}
