using Dunlin.Accounts;
using Dunlin.Journal;
using Dunlin.Sqlite;
using Dunlin.Sqlite.Accounts;
using Dunlin.Sqlite.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Hosting;

/// <summary>The embedded store.</summary>
public static class SqliteBuilderExtensions
{
    /// <summary>Keeps journal, leases, accounts and the application's tables in this SQLite file.</summary>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, string path) => builder.AddSqlite(options => options.Path = path);

    /// <summary>Keeps journal, leases, accounts and the application's tables in one SQLite file, opened before anything
    /// else in the host starts.</summary>
    public static DunlinBuilder AddSqlite(this DunlinBuilder builder, Action<SqliteOptions> configure)
    {
        builder.AddStoreBasics();
        var services = builder.Services;
        services.AddOptions<SqliteOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<SqliteStore>();
        services.TryAddSingleton<IJournal>(provider => provider.GetRequiredService<SqliteStore>());
        services.TryAddSingleton<IStore>(provider => provider.GetRequiredService<SqliteStore>());
        services.TryAddSingleton<IStoreHealth>(provider => provider.GetRequiredService<SqliteStore>());
        services.TryAddSingleton<IAccountStore, SqliteAccountStore>();
        services.TryAddSingleton<ISessionStore, SqliteSessionStore>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SqliteOpener>());
        return builder;
    }
}
