using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Dunlin.Mercure.Tests.Suite;

public sealed class InMemoryHubTests : HubSuite
{
    protected override Task<HubNodes> StartAsync(Action<MercureOptions>? configure = null) =>
        HubNodes.StartAsync(static (dunlin, _) => dunlin.AddInMemory(), two: false, configure);
}

public sealed class SqliteHubTests : HubSuite
{
    protected override Task<HubNodes> StartAsync(Action<MercureOptions>? configure = null) =>
        HubNodes.StartAsync(static (dunlin, folder) => dunlin.AddSqlite(Path.Combine(folder, "hub.db")), two: false, configure);
}

/// <summary>Two nodes: updates are published at one and read at the other.</summary>
public sealed class PostgresHubTests(PostgresHubTests.Database database) : HubSuite, IClassFixture<PostgresHubTests.Database>
{
    protected override async Task<HubNodes> StartAsync(Action<MercureOptions>? configure = null)
    {
        var connection = await database.NewSchemaAsync();
        return await HubNodes.StartAsync((dunlin, _) => dunlin.AddPostgres(connection), two: true, configure);
    }

    public sealed class Database : IAsyncLifetime
    {
        private PostgresServer? _server;
        private int _schemas;

        public async ValueTask InitializeAsync() => _server = await PostgresServer.StartNewAsync();

        public async Task<string> NewSchemaAsync()
        {
            var schema = $"hub{Interlocked.Increment(ref _schemas)}";
            await using var connection = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(_server!.ConnectionString) { Pooling = false }.ConnectionString
            );
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"CREATE SCHEMA {schema}", connection);
            await command.ExecuteNonQueryAsync();
            return new NpgsqlConnectionStringBuilder(_server.ConnectionString) { SearchPath = schema, MaxPoolSize = 10 }.ConnectionString;
        }

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
                await _server.DisposeAsync();
        }
    }
}
