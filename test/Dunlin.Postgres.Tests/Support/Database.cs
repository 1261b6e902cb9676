using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

[assembly: AssemblyFixture(typeof(Database))]

namespace Dunlin.Postgres.Tests.Support;

/// <summary>The PostgreSQL server of this test run. Every test has its own schema.</summary>
public sealed class Database : IAsyncLifetime
{
    private static Database? _current;
    private static int _schemas;

    private PostgresServer? _server;
    private TestDatabases? _databases;

    public static PostgresServer Server => _current!._server!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartNewAsync();
        _databases = new TestDatabases(_server);
        _current = this;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>Creates an empty schema.</summary>
    /// <returns>A connection string for the schema.</returns>
    public static async Task<string> NewSchemaAsync(PostgresServer? server = null)
    {
        var name = $"test_{Interlocked.Increment(ref _schemas)}";
        NpgsqlConnectionStringBuilder connection;
        if (server is null)
        {
            connection = await _current!._databases!.NewSchemaAsync(name);
        }
        else
        {
            await ExecuteAsync(server.ConnectionString, $"CREATE SCHEMA {name}");
            connection = new NpgsqlConnectionStringBuilder(server.ConnectionString) { SearchPath = name };
        }
        connection.Timeout = 5;
        return connection.ConnectionString;
    }

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Runs statements and returns the first value of one of their results.</summary>
    public static async Task<T> ScalarAsync<T>(string connectionString, string sql, int result = 0)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        for (var i = 0; i < result; i++)
            await reader.NextResultAsync();
        Assert.True(await reader.ReadAsync());
        return await reader.GetFieldValueAsync<T>(0);
    }
}
