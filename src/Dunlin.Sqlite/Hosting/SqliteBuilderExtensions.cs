using System.Diagnostics.Metrics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Hosting;
using Dunlin.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with the SQLite store.</summary>
public static class SqliteBuilderExtensions
{
    /// <summary>Adds a store in the SQLite file <paramref name="path"/>: journal, leases, accounts and the application's tables.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="path">The database file. A relative path starts at the working directory.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db");
    /// </code>
    /// </example>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, string path) => builder.AddSqlite(options => options.Path = path);

    /// <summary>Adds a store in one SQLite file: journal, leases, accounts and the application's tables. The host opens it before all other
    /// services.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, Action<SqliteOptions> configure)
    {
        builder.Services.AddValidatedOptions<SqliteOptions, SqliteOptionsValidator>().Configure(configure);
        return builder.AddRelationalStore(provider => new SqliteStore(
            provider.GetRequiredService<IOptions<SqliteOptions>>(),
            provider.GetRequiredService<IOptions<RetentionOptions>>(),
            provider.GetServices<SchemaScripts>(),
            provider.GetRequiredService<CommitFeed>(),
            provider.GetRequiredService<StoreClock>(),
            provider.GetRequiredService<ILogger<SqliteStore>>(),
            provider.GetService<IMeterFactory>()
        ));
    }
}
