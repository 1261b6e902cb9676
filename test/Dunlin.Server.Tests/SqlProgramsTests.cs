using System.Globalization;
using Dunlin.Client;
using Dunlin.Journal;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests;

/// <summary>Programs of several languages publish by SQL, while they and the nodes are killed.</summary>
/// <remarks>A third of the transactions is rolled back. <c>DUNLIN_SQL_TRANSACTIONS=10000</c> makes the test longer.</remarks>
[Trait("Store", "own")]
public sealed class SqlProgramsTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly string Scripts = Path.Combine(Repository.Root, "test", "Dunlin.Server.Tests", "Sql");

    private readonly ServerProgram[] _nodes = [new(), new()];
    private PostgresServer _postgres = null!;
    private PgBouncer _pooler = null!;

    private static int Transactions =>
        int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_SQL_TRANSACTIONS"), CultureInfo.InvariantCulture, out var given)
            ? given
            : 600;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        _pooler = await PgBouncer.StartAsync(_postgres);
        var (code, _, error) = await Cli.RunAsync("sql", "install", "--store", _postgres.ConnectionString);
        Assert.True(code == 0, error);
        await ExecuteAsync(
            """
            CREATE TABLE mine (client TEXT, number INT, events INT, PRIMARY KEY (client, number));
            CREATE TABLE shared AS SELECT 0::INT AS value;
            CREATE TABLE clients AS SELECT unnest(ARRAY['python', 'pooled-python', 'node', 'psql']) AS name;
            CREATE ROLE app LOGIN;
            GRANT ALL ON mine, shared, clients TO app;
            GRANT USAGE ON SCHEMA dunlin TO app;
            GRANT EXECUTE ON FUNCTION dunlin.publish TO app;
            INSERT INTO dunlin.publisher VALUES ('app', 'sql/*');
            """
        );
        foreach (var node in _nodes)
        {
            node.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
            await node.StartAsync("--store", _postgres.ConnectionString);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _pooler.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task Readers_get_exactly_the_committed_events_despite_kills()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var random = TestSeed.NewRandom(out _);
        var start = new StreamPosition(await ScalarAsync<string>("SELECT dunlin.head()"));
        var readers = _nodes.Select(node => Task.Run(() => ReadAsync(node.Address, start, limit.Token))).ToArray();
        var direct = $"host=127.0.0.1 port={_postgres.Port} user=app dbname=postgres";
        var pooled = $"host=127.0.0.1 port={_pooler.Port} user=app dbname=postgres";
        Publisher[] publishers =
        [
            new("python", "/usr/bin/python3", "publisher.py", direct, random.Next()),
            new("pooled-python", "/usr/bin/python3", "publisher.py", pooled, random.Next()),
            new("node", "node", "publisher.mjs", $"postgresql://app@127.0.0.1:{_pooler.Port}/postgres", random.Next()),
            new("psql", "/bin/sh", "publisher.sh", pooled, random.Next()),
        ];
        var each = Transactions / publishers.Length;
        foreach (var publisher in publishers)
            publisher.Start(each);
        // Each kill comes after some more commits, so the number of kills does not depend on the speed of the machine.
        for (long next = random.Next(20, 60); !publishers.All(publisher => publisher.HasEnded); )
        {
            limit.Token.ThrowIfCancellationRequested();
            if (await ScalarAsync<long>("SELECT count(*) FROM mine") < next)
                continue;
            next += random.Next(40, 120);
            if (random.Next(3) == 0)
            {
                var node = _nodes[random.Next(_nodes.Length)];
                await node.KillAsync();
                await node.StartAsync("--store", _postgres.ConnectionString);
            }
            else
            {
                var publisher = publishers[random.Next(publishers.Length)];
                await publisher.KillAndContinueAsync(() =>
                    ScalarAsync<int>($"SELECT coalesce(max(number), -1) FROM mine WHERE client = '{publisher.Name}'")
                );
            }
        }
        foreach (var publisher in publishers)
            await publisher.SucceededAsync();
        await ExecuteAsync("SELECT dunlin.publish('sql/end', 'end')", "app");

        var expected = await ListAsync(
            "SELECT 'sql/' || client || ' [' || number || ', ' || event || ']' FROM mine, generate_series(0, events - 1) AS event ORDER BY client, number, event"
        );
        Assert.NotEmpty(expected);
        var shared = await ScalarAsync<int>("SELECT value FROM shared");
        foreach (var reader in readers)
        {
            var read = await reader;
            Assert.Equal(read.Select(entry => entry.Offset).Order(), read.Select(entry => entry.Offset));
            Assert.Equal(read.Count, read.Select(entry => entry.Offset).Distinct().Count());
            // Each transaction of a client locked the same row, also those of a killed program, and so did those with the shared value. The
            // orders are therefore known.
            Assert.Equal(
                expected,
                read.Where(entry => entry.Topic is not "sql/shared" and not "sql/end")
                    .GroupBy(entry => entry.Topic, StringComparer.Ordinal)
                    .OrderBy(group => group.Key, StringComparer.Ordinal)
                    .SelectMany(group => group.Select(entry => $"{entry.Topic} {entry.Data}"))
            );
            Assert.Equal(
                Enumerable.Range(1, shared).Select(value => value.ToString(CultureInfo.InvariantCulture)),
                read.Where(entry => entry.Topic == "sql/shared").Select(entry => entry.Data)
            );
        }
        Assert.Equal(await readers[0], await readers[1]);
        Assert.Equal(0, await ScalarAsync<long>("SELECT count(*) FROM dunlin_outbox_refused"));
    }

    /// <summary>Reads from a position to the last event, and resumes when the node is killed.</summary>
    private static async Task<List<(long Offset, string Topic, string Data)>> ReadAsync(
        Uri address,
        StreamPosition start,
        CancellationToken cancellationToken
    )
    {
        using var client = new DunlinClient(
            new DunlinClientOptions { Address = address, GetToken = _ => new(Mint.User("reader", ("subscribe", "sql/*"))) }
        );
        var read = new List<(long, string, string)>();
        await foreach (var entry in client.SubscribeAsync("sql/*", new SubscribeOptions { After = start }, cancellationToken))
        {
            Assert.False(entry.IsReset, entry.ResetReason);
            read.Add((Position.Parse($"{entry.Position}", CultureInfo.InvariantCulture).Offset, entry.Topic!, entry.GetText()));
            if (entry.Topic == "sql/end")
                return read;
        }
        throw new InvalidOperationException("The subscription ended.");
    }

    private async Task ExecuteAsync(string sql, string? user = null)
    {
        await using var connection = await ConnectAsync(user);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync(null);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private async Task<List<string>> ListAsync(string sql)
    {
        await using var connection = await ConnectAsync(null);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await row.ReadAsync())
            texts.Add(row.GetString(0));
        return texts;
    }

    private async Task<NpgsqlConnection> ConnectAsync(string? user)
    {
        var text = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString);
        text.Username = user ?? text.Username;
        var connection = new NpgsqlConnection(text.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>One program, which is started again after a kill. Its numbers grow, so its transactions have one order.</summary>
    private sealed class Publisher(string name, string program, string script, string database, int seed)
    {
        private int _next;
        private int _left;
        private int _starts;
        private ServerProcess _process = null!;

        public string Name => name;

        public bool HasEnded => _process.HasExited;

        public void Start(int count)
        {
            string[] numbers = [Text(_next), Text(count), Text(seed + _starts++)];
            _process = ServerProcess.Start(program, [Path.Combine(Scripts, script), database, name, .. numbers], Repository.Root);
            (_next, _left) = (_next + count, count);
        }

        /// <summary>Kills the program and starts it again with the transactions that it had left, and new numbers.</summary>
        /// <param name="findLast">Returns its last committed number, or a smaller one.</param>
        public async Task KillAndContinueAsync(Func<Task<int>> findLast)
        {
            if (HasEnded)
                return;
            await _process.KillAsync();
            await _process.DisposeAsync();
            var done = Math.Max(0, await findLast() - (_next - _left) + 1);
            Start(Math.Max(1, _left - done));
        }

        public async Task SucceededAsync()
        {
            Assert.True(await _process.WhenExitedAsync() == 0, $"{name}: {_process.Output}");
            await _process.DisposeAsync();
        }

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
