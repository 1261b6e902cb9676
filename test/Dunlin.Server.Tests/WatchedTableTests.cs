using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Dunlin.Client;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests;

/// <summary>Several writers change a watched table at random; a reader over HTTP replays the events.</summary>
/// <remarks>A fifth of the transactions is rolled back. <c>DUNLIN_WATCH_CHANGES=100000</c> makes the test longer.</remarks>
[Trait("Store", "own")]
public sealed class WatchedTableTests : IAsyncLifetime
{
    private const int Writers = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    private readonly ServerProgram _node = new();
    private PostgresServer _postgres = null!;

    private static int Changes =>
        int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_WATCH_CHANGES"), CultureInfo.InvariantCulture, out var given)
            ? given
            : 5_000;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        var (code, _, error) = await Cli.RunAsync("sql", "install", "--store", _postgres.ConnectionString);
        Assert.True(code == 0, error);
        await using var connection = await ConnectAsync();
        await RunAsync(
            connection,
            """
            CREATE TABLE rows (id INT PRIMARY KEY, area INT NOT NULL, value INT NOT NULL, note TEXT);
            CREATE INDEX ON rows (area);
            INSERT INTO rows SELECT i, i % 7, 0, 'first ' || i FROM generate_series(1, 500) AS i;
            SELECT dunlin.watch('rows', topic => 'areas/{area}/rows', columns => ARRAY['value', 'note']);
            """
        );
        _node.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await _node.StartAsync("--store", _postgres.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task Replayed_events_of_concurrent_writers_equal_the_table()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var random = TestSeed.NewRandom(out _);
        await using var connection = await ConnectAsync();
        // The rows from before the watch are in the snapshot.
        var start = new StreamPosition((string)(await ScalarAsync(connection, "SELECT dunlin.head()"))!);
        var reading = Task.Run(() => ReplayAsync(start, limit.Token), limit.Token);
        var left = new StrongBox<int>(Changes);
        var seeds = Enumerable.Range(0, Writers).Select(_ => random.Next()).ToArray();
        var writers = seeds.Select(seed => Task.Run(() => WriteAsync(new Random(seed), left, limit.Token), limit.Token)).ToArray();
        await RunAsync(connection, $"CALL dunlin.snapshot('rows', {random.Next(20, 200)})");
        await Task.WhenAll(writers);
        await RunAsync(connection, "SELECT dunlin.publish('areas/end/rows', 'end')");

        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand("SELECT area, id, value, note FROM rows", connection))
        await using (var row = await command.ExecuteReaderAsync(limit.Token))
            while (await row.ReadAsync(limit.Token))
                rows[$"areas/{row.GetInt32(0)}/rows {row.GetInt32(1)}"] = $"{row.GetInt32(2)} {row.GetString(3)}";
        Assert.NotEmpty(rows);
        Assert.Equal(rows, await reading);
        Assert.Equal(0L, await ScalarAsync(connection, "SELECT count(*) FROM dunlin_outbox_refused"));
    }

    private async Task<SortedDictionary<string, string>> ReplayAsync(StreamPosition start, CancellationToken cancellationToken)
    {
        using var client = new DunlinClient(
            new DunlinClientOptions { Address = _node.Address, GetToken = _ => new(Mint.User("reader", ("subscribe", "areas/*/rows"))) }
        );
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var entry in client.SubscribeAsync("areas/*/rows", new SubscribeOptions { After = start }, cancellationToken))
        {
            Assert.False(entry.IsReset, entry.ResetReason);
            if (entry.Type == "end")
                return rows;
            using var data = JsonDocument.Parse(entry.GetText());
            var name = $"{entry.Topic} {data.RootElement.GetProperty("key").GetProperty("id").GetInt32()}";
            if (entry.Type == "row.deleted")
                rows.Remove(name);
            else
                rows[name] =
                    $"{data.RootElement.GetProperty("new").GetProperty("value")} {data.RootElement.GetProperty("new").GetProperty("note")}";
        }
        throw new InvalidOperationException("The subscription ended.");
    }

    private async Task WriteAsync(Random random, StrongBox<int> left, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync();
        while (Volatile.Read(ref left.Value) > 0)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var changes = 0;
                for (var i = random.Next(1, 5); i > 0; i--)
                    changes += await RunAsync(connection, Statement(random));
                if (random.Next(5) == 0)
                {
                    await transaction.RollbackAsync(cancellationToken);
                    continue;
                }
                await transaction.CommitAsync(cancellationToken);
                Interlocked.Add(ref left.Value, -changes);
            }
            catch (PostgresException exception) when (exception.SqlState is "23505" or "40P01")
            {
                // Two writers insert one key, or lock rows in different orders. The transaction is rolled back.
            }
        }
    }

    private static string Statement(Random random)
    {
        var (id, count) = (random.Next(1, 1_500), random.Next(1, 60));
        return random.Next(10) switch
        {
            0 => $"INSERT INTO rows SELECT i, i % 7, 1, 'bulk' FROM generate_series({id}, {id + count}) AS i ON CONFLICT DO NOTHING",
            1 => $"INSERT INTO rows VALUES ({id}, {id % 7}, 1, 'single') ON CONFLICT (id) "
                + "DO UPDATE SET value = rows.value + 1, note = 'upsert'",
            2 => $"DELETE FROM rows WHERE id BETWEEN {id} AND {id + (count / 2)}",
            3 => $"UPDATE rows SET area = (area + 1) % 7 WHERE id BETWEEN {id} AND {id + count}",
            4 => $"UPDATE rows SET id = {random.Next(1, 1_500)} WHERE id = {id}",
            5 => $"MERGE INTO rows USING generate_series({id}, {id + count}) AS i ON rows.id = i WHEN MATCHED AND value > 3 THEN DELETE "
                + "WHEN MATCHED THEN UPDATE SET value = value + 1 WHEN NOT MATCHED THEN INSERT VALUES (i, i % 7, 0, 'merged')",
            6 => $"UPDATE rows SET note = note WHERE id BETWEEN {id} AND {id + count}",
            _ => $"UPDATE rows SET value = value + 1, note = 'updated {id}' WHERE id BETWEEN {id} AND {id + count}",
        };
    }

    private static async Task<int> RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
