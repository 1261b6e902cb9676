using System.Diagnostics.Metrics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Hosting;
using Dunlin.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The embedded store.</summary>
public static class SqliteBuilderExtensions
{
    /// <summary>Keeps journal, leases, accounts and the application's tables in this SQLite file.</summary>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, string path) => builder.AddSqlite(options => options.Path = path);

    /// <summary>Keeps journal, leases, accounts and the application's tables in one SQLite file, opened before anything
    /// else in the host starts.</summary>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, Action<SqliteOptions> configure)
    {
        builder.Services.AddOptions<SqliteOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
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
