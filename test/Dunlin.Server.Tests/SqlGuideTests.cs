using System.Diagnostics;
using System.Net.ServerSentEvents;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests;

/// <summary>Runs the examples of <c>docs/guides/sql.md</c> against a database and a server.</summary>
[Trait("Store", "own")]
public sealed class SqlGuideTests : IAsyncLifetime
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "guides", "sql.md"));

    private PostgresServer _postgres = null!;
    private TestServer _server = null!;

    private string Uri => $"postgresql://app@127.0.0.1:{_postgres.Port}/postgres";

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        var (code, _, error) = await Cli.RunAsync("sql", "install", "--store", _postgres.ConnectionString);
        Assert.True(code == 0, error);
        await ExecuteAsync(
            """
            CREATE TABLE orders (id INT PRIMARY KEY, state TEXT, note TEXT);
            INSERT INTO orders VALUES (7, 'open', '');
            CREATE ROLE app LOGIN;
            GRANT ALL ON orders TO app;
            GRANT USAGE ON SCHEMA dunlin TO app;
            GRANT EXECUTE ON FUNCTION dunlin.publish TO app;
            """
        );
        _server = await TestServer.StartAsync(("Store", _postgres.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Theory]
    [InlineData("python", "/usr/bin/python3", "-c")]
    [InlineData("js", "node", "--input-type=module", "--eval")]
    [InlineData("php", "php", "-r")]
    public async Task An_example_updates_its_row_and_publishes(string language, string program, params string[] arguments)
    {
        var code = Assert.Single(Repository.Blocks(Page, language));
        await using var reader = await OpenAsync();
        await RunAsync(program, [.. arguments, code]);
        Assert.Equal("{\"state\": \"paid\"}", (await reader.UntilAsync("order.paid")).Data);
        Assert.Equal("paid", await ScalarAsync("SELECT state FROM orders"));
    }

    [Fact]
    public async Task The_statements_publish_repeat_and_fill_the_table_of_rights()
    {
        var blocks = Repository.Blocks(Page, "sql").ToList();
        await using var reader = await OpenAsync();
        await PsqlAsync(Uri, blocks.Single(block => block.StartsWith("BEGIN;\nUPDATE orders SET state", StringComparison.Ordinal)));
        Assert.Equal("{\"state\": \"paid\"}", (await reader.UntilAsync("order.paid")).Data);

        var keyed = blocks.Single(block => block.Contains("payment-4711", StringComparison.Ordinal));
        Assert.Equal("t", (await PsqlAsync(Uri, keyed)).Trim());
        Assert.Equal("f", (await PsqlAsync(Uri, keyed)).Trim());

        var owner = $"postgresql://postgres@127.0.0.1:{_postgres.Port}/postgres";
        await PsqlAsync(owner, blocks.Single(block => block.Contains("CREATE TRIGGER", StringComparison.Ordinal)));
        await PsqlAsync(Uri, "UPDATE orders SET state = 'sent' WHERE id = 7");
        Assert.Contains("\"state\": \"sent\"", (await reader.UntilAsync("order.changed")).Data, StringComparison.Ordinal);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            PsqlAsync(owner, blocks.Single(block => block.Contains("require_lease", StringComparison.Ordinal)))
        );
        Assert.Contains("is not held", refused.Message, StringComparison.Ordinal);

        await PsqlAsync(owner, blocks.Single(block => block.Contains("dunlin.publisher", StringComparison.Ordinal)));
        refused = await Assert.ThrowsAsync<InvalidOperationException>(() => PsqlAsync(Uri, keyed));
        Assert.Contains("may not publish", refused.Message, StringComparison.Ordinal);
    }

    private Task<EventStreamReader<SseItem<string>>> OpenAsync() =>
        Calls.OpenAsync(_server.Address, Mint.User("reader", ("subscribe", "orders/*")), "topic=orders/7");

    private Task<string> PsqlAsync(string database, string sql) =>
        RunAsync("psql", ["--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", "--command", sql, database]);

    private async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = Repository.Root };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // PDO names its driver and takes no URI.
        start.Environment["DATABASE"] = program == "php" ? $"pgsql:host=127.0.0.1;port={_postgres.Port};dbname=postgres;user=app" : Uri;
        var result = await ServerProcess.RunAsync(start);
        return result.Code == 0
            ? result.Output
            : throw new InvalidOperationException($"{program} ended with {result.Code}: {result.Output}{result.Error}");
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<string> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
