using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.TestKit;

/// <summary>Creates schemas for tests on one PostgreSQL server. Thread-safe.</summary>
/// <remarks>Npgsql reads all types of a database for each new connection string. With the schemas of hundreds of tests in one database,
/// these reads took half of the processor time of a run. So a database holds few schemas.</remarks>
internal sealed class TestDatabases(PostgresServer server)
{
    // A new database costs as much processor time as reading the types of some dozens of schemas, and 8 MB.
    private const int SchemasPerDatabase = 16;

    private readonly Lock _gate = new(); // guards _schemas and _database
    private int _schemas;
    private Task<string> _database = Task.FromResult("");

    /// <summary>Creates an empty schema.</summary>
    /// <param name="schema">The name, which is unique on the server.</param>
    /// <returns>A connection string of the database that holds the schema, with the schema as its search path.</returns>
    public async Task<NpgsqlConnectionStringBuilder> NewSchemaAsync(string schema)
    {
        Task<string> database;
        lock (_gate)
        {
            if (_schemas++ % SchemasPerDatabase == 0)
                _database = NewDatabaseAsync(_schemas / SchemasPerDatabase);
            database = _database;
        }
        var connection = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = await database };
        await ExecuteAsync(connection, $"CREATE SCHEMA {schema}");
        connection.SearchPath = schema;
        return connection;
    }

    private async Task<string> NewDatabaseAsync(int number)
    {
        // Nobody connects to template0, so that no session delays the copy.
        await ExecuteAsync(
            new NpgsqlConnectionStringBuilder(server.ConnectionString),
            $"CREATE DATABASE tests_{number} TEMPLATE template0"
        );
        return $"tests_{number}";
    }

    private static async Task ExecuteAsync(NpgsqlConnectionStringBuilder connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
