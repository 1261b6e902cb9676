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

/// <summary>Extends <see cref="DunlinBuilder"/> with the PostgreSQL store.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Adds a store in the PostgreSQL database of <paramref name="connectionString"/>: journal, leases, accounts and the
    /// application's tables.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">The Npgsql connection string.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddPostgres("Host=db;Database=dunlin;Username=dunlin;Password=...");
    /// </code>
    /// </example>
    public static DunlinBuilder AddPostgres(this DunlinBuilder builder, string connectionString) =>
        builder.AddPostgres(options => options.ConnectionString = connectionString);

    /// <summary>Adds a store in one PostgreSQL database: journal, leases, accounts and the application's tables. Any number of nodes may
    /// share the database; each node detects the commits of the others.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>The host opens the store before all other services.</remarks>
    public static DunlinBuilder AddPostgres(this DunlinBuilder builder, Action<PostgresOptions> configure)
    {
        var services = builder
            .AddSharedRelationalStore(provider => new PostgresStore(
                provider.GetRequiredService<IOptions<PostgresOptions>>(),
                provider.GetRequiredService<IOptions<RetentionOptions>>(),
                provider.GetServices<SchemaScripts>(),
                provider.GetRequiredService<CommitFeed>(),
                provider.GetRequiredService<StoreClock>(),
                provider.GetRequiredService<ILogger<PostgresStore>>(),
                provider.GetService<IMeterFactory>()
            ))
            .Services;
        services.AddValidatedOptions<PostgresOptions, PostgresOptionsValidator>().Configure(configure);
        services.TryAddSingleton<PostgresBackplane>();
        services.TryAddSingleton<IStoreBackplane>(provider => provider.GetRequiredService<PostgresBackplane>());
        // Replaces the backplane of a single process. A backplane that wraps this one stays, in either order of calls.
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
