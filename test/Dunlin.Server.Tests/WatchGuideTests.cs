using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests;

/// <summary>Runs the statements of <c>docs/guides/watch-tables.md</c> against a database and a server.</summary>
[Trait("Store", "own")]
public sealed class WatchGuideTests : IAsyncLifetime
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "guides", "watch-tables.md"));

    private PostgresServer _postgres = null!;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        var (code, _, error) = await Cli.RunAsync("sql", "install", "--store", _postgres.ConnectionString);
        Assert.True(code == 0, error);
        await ExecuteAsync(
            """
            CREATE TABLE orders (id INT PRIMARY KEY, status TEXT, total NUMERIC);
            INSERT INTO orders VALUES (7, 'open', 12.50);
            CREATE ROLE orders_owner;
            ALTER TABLE orders OWNER TO orders_owner;
            """
        );
        _server = await TestServer.StartAsync(("Store", _postgres.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task The_statements_publish_changes_and_snapshots()
    {
        var blocks = Repository.Blocks(Page, "sql").ToList();
        await using var reader = await Calls.OpenAsync(_server.Address, Mint.User("reader", ("subscribe", "orders/*")), "topic=orders/*");
        await ExecuteAsync(blocks.Single(block => block.StartsWith("GRANT", StringComparison.Ordinal)));
        var first = blocks.Single(block => block.Contains("UPDATE orders", StringComparison.Ordinal));
        await ExecuteAsync(first, "orders_owner");
        var expected = JsonDocument.Parse(Assert.Single(Repository.Blocks(Page, "json"))).RootElement;
        var updated = JsonDocument.Parse((await reader.UntilAsync("row.updated")).Data).RootElement;
        Assert.True(JsonElement.DeepEquals(expected, updated), updated.ToString());

        await ExecuteAsync(blocks.Single(block => block.StartsWith("CALL", StringComparison.Ordinal)), "orders_owner");
        Assert.Contains("\"status\":\"paid\"", (await reader.UntilAsync("row.read")).Data, StringComparison.Ordinal);
        await ExecuteAsync(blocks.Single(block => block.Contains("dunlin.head", StringComparison.Ordinal)));
        await ExecuteAsync(blocks.Single(block => block.Contains("missing_partitions", StringComparison.Ordinal)));
        await ExecuteAsync("DELETE FROM orders");
        Assert.Equal("""{"key":{"id":7},"old":{"id":7,"status":"paid"}}""", (await reader.UntilAsync("row.deleted")).Data);
    }

    private async Task ExecuteAsync(string sql, string role = "none")
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        foreach (var text in (string[])[$"SET ROLE {role}", sql])
        {
            await using var command = new NpgsqlCommand(text, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
