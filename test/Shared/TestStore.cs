using System.Collections.Concurrent;
using Dunlin.Hosting;
using Dunlin.Sqlite;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.TestKit;

/// <summary>
/// The store of the application tests: SQLite, or with <c>DUNLIN_TEST_STORE=postgres</c> a PostgreSQL server that the run starts, with one
/// schema per test folder. The tests are the same.
/// </summary>
internal static class TestStore
{
    private static readonly Lazy<TestDatabases> Databases = new(static () =>
    {
        var server = Task.Run(() => PostgresServer.StartNewAsync()).GetAwaiter().GetResult();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Task.Run(async () => await server.DisposeAsync()).Wait(TimeSpan.FromSeconds(20));
        return new TestDatabases(server);
    });

    private static readonly ConcurrentDictionary<string, Lazy<string>> Schemas = new(StringComparer.Ordinal);

    public static bool IsPostgres => Environment.GetEnvironmentVariable("DUNLIN_TEST_STORE") == "postgres";

    /// <summary>Returns the <c>--store</c> value of a folder; null for SQLite.</summary>
    public static string? ConnectionString(string folder)
    {
        if (!IsPostgres)
            return null;
        var schema = Path.GetFileName(folder).Replace('-', '_').ToLowerInvariant();
        return Schemas.GetOrAdd(schema, static name => new Lazy<string>(() => Create(name))).Value;
    }

    private static string Create(string schema)
    {
        var connection = Task.Run(() => Databases.Value.NewSchemaAsync(schema)).GetAwaiter().GetResult();
        connection.MaxPoolSize = 20;
        return connection.ConnectionString;
    }

    /// <summary>Adds the store of a folder. Opening the same folder again gives the same data.</summary>
    public static DunlinBuilder AddTestStore(this DunlinBuilder dunlin, string folder, string file, Action<SqliteOptions>? sqlite = null)
    {
        var options = new SqliteOptions();
        sqlite?.Invoke(options);
        if (ConnectionString(folder) is not { } connectionString)
        {
            return dunlin.AddSqlite(chosen =>
            {
                chosen.Path = Path.Combine(folder, file);
                sqlite?.Invoke(chosen);
            });
        }
        return dunlin.AddPostgres(chosen =>
        {
            chosen.ConnectionString = connectionString;
            (chosen.WriteLimit, chosen.ReadLimit) = (options.WriteLimit, options.ReadLimit);
        });
    }
}
