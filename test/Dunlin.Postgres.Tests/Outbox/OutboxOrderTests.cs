using System.Data;
using System.Globalization;
using System.Text;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational;
using Dunlin.Relational.Outbox;
using Dunlin.TestKit;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>The order of concurrent transactions, and moves that fail. No node runs: a flush moves the rows.</summary>
public sealed class OutboxOrderTests : IAsyncLifetime
{
    private readonly List<StoreOutbox> _outboxes = [];
    private const string SlowCommit = """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('slow commit'), hashtext(current_schema())); RETURN NULL;
        END $$;
        CREATE TABLE slow (id INT);
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
        """;

    private Backend _backend = null!;
    private PostgresStore _store = null!;
    private StoreOutbox _outbox = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        (_store, _outbox) = await OpenAsync();
        await ExecuteAsync("CREATE TABLE mine (id INT PRIMARY KEY, value INT); INSERT INTO mine VALUES (1, 0)");
    }

    public async ValueTask DisposeAsync()
    {
        _outboxes.ForEach(outbox => outbox.Dispose());
        await _backend.DisposeAsync();
    }

    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    public async Task A_transaction_that_waited_for_another_comes_after_it(IsolationLevel level)
    {
        await using var first = await BeginAsync(IsolationLevel.ReadCommitted);
        await using var second = await BeginAsync(level);
        await AddAsync(second, 2);
        await first.RunAsync("SELECT * FROM mine WHERE id = 1 FOR UPDATE");
        var waiting = second.RunAsync("SELECT * FROM mine WHERE id = 1 FOR UPDATE");
        await WhenBlockedAsync(second.ProcessId);
        await AddAsync(first, 1);
        await first.CommitAsync();
        await waiting;
        await second.CommitAsync();
        await _outbox.FlushAsync(Cancellation);
        Assert.Equal([1, 2], await ReadAsync());
    }

    [Fact]
    public async Task A_commit_that_takes_long_is_moved_after_later_ones()
    {
        await ExecuteAsync(SlowCommit);
        await using var holder = await BeginAsync();
        await holder.RunAsync("SELECT pg_advisory_xact_lock(hashtext('slow commit'), hashtext(current_schema()))");
        await using var slow = await BeginAsync();
        await AddAsync(slow, 1);
        await slow.RunAsync("INSERT INTO slow VALUES (1)");
        var committing = slow.CommitAsync();
        await WhenBlockedAsync(slow.ProcessId);
        for (var i = 2; i <= 4; i++)
        {
            await AddAsync(null, i);
            await _outbox.FlushAsync(Cancellation);
        }
        Assert.Equal([2, 3, 4], await ReadAsync());
        await holder.CommitAsync();
        await committing;
        await _outbox.FlushAsync(Cancellation);
        Assert.Equal([2, 3, 4, 1], await ReadAsync());
    }

    [Fact]
    public async Task Looks_during_a_long_commit_of_the_newest_transaction_lose_nothing()
    {
        // A server of its own: no other transaction may end meanwhile, so that the newest one is above the end of each snapshot.
        await using var server = await TestKit.Servers.PostgresServer.StartNewAsync();
        await using var backend = await Backend.NewAsync(server);
        var store = await backend.OpenAsync();
        using var outbox = new StoreOutbox(store, new TestLog().For<StoreOutbox>());
        await Database.ExecuteAsync(backend.ConnectionString, SlowCommit);
        await using var holder = new Client(backend.ConnectionString);
        await holder.OpenAsync(IsolationLevel.ReadCommitted);
        await holder.RunAsync("SELECT pg_advisory_xact_lock(hashtext('slow commit'), hashtext(current_schema()))");
        await using var slow = new Client(backend.ConnectionString);
        await slow.OpenAsync(IsolationLevel.ReadCommitted);
        await outbox.AddAsync(slow.Connection, slow.Transaction, [Backend.Draft("a", 1)], Cancellation);
        await slow.RunAsync("INSERT INTO slow VALUES (1)");
        var committing = slow.CommitAsync();
        var blocked = $"SELECT cardinality(pg_blocking_pids({slow.ProcessId}))";
        while (await Database.ScalarAsync<int>(backend.ConnectionString, blocked) == 0)
            Cancellation.ThrowIfCancellationRequested();
        for (var i = 0; i < 5; i++)
            Assert.Equal(0, (await outbox.LookAsync(-1, Cancellation)).Waiting);
        await holder.CommitAsync();
        await committing;
        Assert.Equal(1, (await outbox.FlushAsync(Cancellation)).Offset);
    }

    [Fact]
    public async Task A_transaction_that_publishes_and_idles_delays_nobody()
    {
        await using var idle = await BeginAsync();
        await AddAsync(idle, 100);
        for (var i = 0; i < 5; i++)
        {
            await AddAsync(null, i);
            Assert.Equal((2 * i) + 1, (await _outbox.FlushAsync(Cancellation)).Offset);
            Assert.Equal((2 * i) + 2, (await _store.AppendAsync(Backend.Draft("other", i), Cancellation)).Offset);
        }
        await idle.CommitAsync();
        await _outbox.FlushAsync(Cancellation);
        Assert.Equal([0, 1, 2, 3, 4, 100], await ReadAsync());
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task Concurrent_transactions_without_common_rows_never_conflict(IsolationLevel level)
    {
        var transactions = new List<Client>();
        for (var i = 0; i < 8; i++)
            transactions.Add(await BeginAsync(level));
        for (var i = 0; i < transactions.Count; i++)
            await AddAsync(transactions[i], i);
        foreach (var transaction in transactions.AsEnumerable().Reverse())
        {
            await transaction.CommitAsync();
            await _outbox.FlushAsync(Cancellation);
            await transaction.DisposeAsync();
        }
        Assert.Equal([7, 6, 5, 4, 3, 2, 1, 0], await ReadAsync());
    }

    [Fact]
    public async Task Two_nodes_that_move_at_once_move_each_event_once()
    {
        var (_, other) = await OpenAsync();
        await using var publisher = new Client(_backend.ConnectionString);
        await publisher.OpenAsync();
        for (var i = 0; i < 40; i++)
        {
            for (var j = 0; j < 5; j++)
                await AddAsync(publisher, (5 * i) + j);
            await Task.WhenAll(_outbox.FlushAsync(Cancellation).AsTask(), other.FlushAsync(Cancellation).AsTask());
        }
        Assert.Equal(Enumerable.Range(0, 200), await ReadAsync());
    }

    [Theory]
    [InlineData("LOCK TABLE dunlin_journal IN SHARE MODE")]
    [InlineData("SELECT * FROM dunlin_outbox_order FOR UPDATE")]
    [InlineData("SELECT * FROM dunlin_outbox FOR UPDATE")]
    public async Task A_move_whose_connection_ends_is_repeated_and_moves_once(string block)
    {
        await AddAsync(null, 1);
        await AddAsync(null, 2);
        await using var blocker = await BeginAsync();
        await blocker.RunAsync(block);
        var flush = _outbox.FlushAsync(Cancellation).AsTask();
        var blocked = await WhenBlockedByAsync(blocker.ProcessId);
        await ExecuteAsync($"SELECT pg_terminate_backend({blocked})");
        await Assert.ThrowsAsync<Diagnostics.DunlinException>(() => flush);
        await blocker.CommitAsync();
        Assert.Equal(2, (await _outbox.FlushAsync(Cancellation)).Offset);
        Assert.Equal([1, 2], await ReadAsync());
        Assert.Equal(0, await Database.ScalarAsync<long>(_backend.ConnectionString, "SELECT count(*) FROM dunlin_outbox_order"));
    }

    [Fact]
    public async Task A_look_stays_cheap_while_an_old_snapshot_is_open()
    {
        await using var old = await BeginAsync(IsolationLevel.RepeatableRead);
        await old.RunAsync("SELECT 1");
        for (var i = 0; i < 6; i++)
        {
            await using var connection = await ConnectAsync();
            await _outbox.AddAsync(connection, null, [.. Enumerable.Range(0, 1_000).Select(j => Backend.Draft("a", j))], Cancellation);
            await _outbox.FlushAsync(Cancellation);
        }
        await _outbox.LookAsync(-1, Cancellation);
        await _outbox.LookAsync(-1, Cancellation);
        var look = string.Create(
            CultureInfo.InvariantCulture,
            $"SELECT * FROM dunlin_outbox_look({_outbox.Gaps.Highest}, '{_outbox.Gaps.Json}', -1)"
        );
        // The first call of a session reads the catalogue.
        var plan = await Database.ScalarAsync<string>(
            _backend.ConnectionString,
            $"{look}; EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {look}",
            result: 1
        );
        var blocks = System
            .Text.Json.JsonDocument.Parse(plan)
            .RootElement[0]
            .GetProperty("Plan")
            .GetProperty("Shared Hit Blocks")
            .GetInt32();
        Assert.True(blocks < 40, $"{blocks} blocks: {plan}");
    }

    [Fact]
    public async Task A_take_with_a_generic_plan_looks_up_each_row()
    {
        await _outbox.LookAsync(-1, Cancellation);
        await ExecuteAsync(
            """
            ALTER TABLE dunlin_outbox SET (autovacuum_enabled = false);
            ALTER TABLE dunlin_outbox_order SET (autovacuum_enabled = false);
            INSERT INTO dunlin_outbox (topic, type, data) SELECT 'a', 'test.event', '1' FROM generate_series(1, 1000)
            """
        );
        await _outbox.FlushAsync(Cancellation);
        await ExecuteAsync("VACUUM ANALYZE dunlin_outbox, dunlin_outbox_order");
        await using var connection = await ConnectAsync();
        await _outbox.AddAsync(connection, null, [.. Enumerable.Range(0, 1_000).Select(j => Backend.Draft("a", j))], Cancellation);
        var plan = new StringBuilder();
        connection.Notice += (_, e) => plan.AppendLine(e.Notice.MessageText);
        await using var command = new NpgsqlCommand(
            """
            LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
            SET auto_explain.log_analyze = on; SET auto_explain.log_level = notice; SET plan_cache_mode = force_generic_plan;
            SELECT count(*) FROM dunlin_outbox_take(0, '[]', 1000, 1000000)
            """,
            connection
        );
        Assert.Equal(1_000L, await command.ExecuteScalarAsync(Cancellation));
        Assert.Contains("CTE due", plan.ToString(), StringComparison.Ordinal);
        // Else each row is compared with each other one.
        Assert.DoesNotContain("Rows Removed by", plan.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_publisher_needs_no_right_but_insert()
    {
        var role = $"publisher_{Guid.NewGuid():N}";
        var schema = new NpgsqlConnectionStringBuilder(_backend.ConnectionString).SearchPath!;
        await ExecuteAsync($"CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT INSERT ON dunlin_outbox TO {role}");
        await using (var publisher = await BeginAsync())
        {
            await publisher.RunAsync($"SET LOCAL ROLE {role}");
            await AddAsync(publisher, 1);
            await Assert.ThrowsAsync<PostgresException>(async () =>
            {
                await using var other = await BeginAsync();
                await other.RunAsync($"SET LOCAL ROLE {role}");
                await other.RunAsync("SELECT * FROM dunlin_outbox");
            });
            await publisher.CommitAsync();
        }
        await _outbox.FlushAsync(Cancellation);
        Assert.Equal([1], await ReadAsync());
        await ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
    }

    [Fact]
    public async Task A_commit_notifies_only_while_no_node_looks()
    {
        await using var listener = await ConnectAsync();
        await using (var listen = new NpgsqlCommand($"LISTEN {PostgresStore.OutboxChannel}", listener))
            await listen.ExecuteNonQueryAsync(Cancellation);
        // Other tests notify on the same channel of the database, so only the notifications of this process count.
        await using var publisher = new Client(_backend.ConnectionString);
        await publisher.OpenAsync();
        var own = 0;
        listener.Notification += (_, notification) => own += notification.PID == publisher.ProcessId ? 1 : 0;

        await AddAsync(publisher, 1);
        await DrainAsync();
        Assert.Equal(1, own);

        Assert.True(await _outbox.ClaimAsync(7, TimeSpan.FromMinutes(1), Cancellation));
        await AddAsync(publisher, 2);
        await DrainAsync();
        Assert.Equal(1, own);

        await _outbox.ReleaseAsync(7, Cancellation);
        await AddAsync(publisher, 3);
        await DrainAsync();
        Assert.Equal(2, own);

        // A notification precedes the result of the next statement of the listener.
        async Task DrainAsync()
        {
            await using var command = new NpgsqlCommand("SELECT 1", listener);
            await command.ExecuteScalarAsync(Cancellation);
            await command.ExecuteScalarAsync(Cancellation);
        }
    }

    [Fact]
    public async Task One_node_claims_until_it_releases()
    {
        Assert.True(await _outbox.ClaimAsync(1, TimeSpan.FromMinutes(1), Cancellation));
        Assert.True(await _outbox.ClaimAsync(1, TimeSpan.FromMinutes(1), Cancellation));
        Assert.False(await _outbox.ClaimAsync(2, TimeSpan.FromMinutes(1), Cancellation));
        await AddAsync(null, 1);
        Assert.Equal(new OutboxLook(IsOther: true, 0), await _outbox.LookAsync(2, Cancellation));
        Assert.Equal(new OutboxLook(IsOther: false, 1), await _outbox.LookAsync(1, Cancellation));
        await _outbox.ReleaseAsync(2, Cancellation);
        Assert.False(await _outbox.ClaimAsync(2, TimeSpan.FromMinutes(1), Cancellation));
        await _outbox.ReleaseAsync(1, Cancellation);
        Assert.True(await _outbox.ClaimAsync(2, TimeSpan.FromMinutes(1), Cancellation));
    }

    [Fact]
    public async Task A_move_to_another_store_takes_the_waiting_rows_along()
    {
        await using var target = await Backend.NewAsync();
        var to = await target.OpenAsync();
        await AddAsync(null, 1);
        await _outbox.FlushAsync(Cancellation);
        for (var i = 2; i <= 4; i++)
            await AddAsync(null, i);
        await Database.ExecuteAsync(target.ConnectionString, "CREATE TABLE mine (id INT PRIMARY KEY, value INT)");
        await StoreMove.RunAsync(_store, to, cancellationToken: Cancellation);
        await to.DisposeAsync();
        var moved = await target.OpenAsync();
        using var outbox = new StoreOutbox(moved, new TestLog().For<StoreOutbox>());
        await outbox.FlushAsync(Cancellation);
        Assert.Equal(["1", "2", "3", "4"], (await Backend.ReadAllAsync(moved)).Select(e => Encoding.UTF8.GetString(e.Data.Span)));
    }

    private async Task<(PostgresStore, StoreOutbox)> OpenAsync()
    {
        var store = await _backend.OpenAsync();
        var outbox = new StoreOutbox(store, new TestLog().For<StoreOutbox>());
        _outboxes.Add(outbox);
        return (store, outbox);
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(_backend.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private async Task<Client> BeginAsync(IsolationLevel level = IsolationLevel.ReadCommitted)
    {
        var client = new Client(_backend.ConnectionString);
        await client.OpenAsync(level);
        return client;
    }

    private async Task AddAsync(Client? client, int value)
    {
        if (client is not null)
        {
            await _outbox.AddAsync(client.Connection, client.Transaction, [Backend.Draft("a", value)], Cancellation);
            return;
        }
        await using var connection = await ConnectAsync();
        await _outbox.AddAsync(connection, null, [Backend.Draft("a", value)], Cancellation);
    }

    private async Task<List<int>> ReadAsync() =>
        [
            .. (await Backend.ReadAllAsync(_store))
                .Where(e => e.Topic.Value == "a")
                .Select(e => int.Parse(Encoding.UTF8.GetString(e.Data.Span), null)),
        ];

    private Task ExecuteAsync(string sql) => Database.ExecuteAsync(_backend.ConnectionString, sql);

    /// <summary>Completes when the server process waits for a lock.</summary>
    private async Task WhenBlockedAsync(int processId)
    {
        var sql = $"SELECT cardinality(pg_blocking_pids({processId}))";
        while (await Database.ScalarAsync<int>(_backend.ConnectionString, sql) == 0)
            Cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Returns a server process that waits for another one.</summary>
    private async Task<int> WhenBlockedByAsync(int processId)
    {
        var sql = $"SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE {processId} = ANY (pg_blocking_pids(pid)) LIMIT 1), 0)";
        while (true)
        {
            Cancellation.ThrowIfCancellationRequested();
            if (await Database.ScalarAsync<int>(_backend.ConnectionString, sql) is > 0 and var found)
                return found;
        }
    }

    /// <summary>A connection of the application.</summary>
    private sealed class Client(string connectionString) : IAsyncDisposable
    {
        public NpgsqlConnection Connection { get; } =
            new(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);

        public NpgsqlTransaction? Transaction { get; private set; }

        public int ProcessId => Connection.ProcessID;

        public async Task OpenAsync(IsolationLevel? level = null)
        {
            await Connection.OpenAsync(Cancellation);
            if (level is { } isolation)
                Transaction = await Connection.BeginTransactionAsync(isolation, Cancellation);
        }

        public async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, Connection, Transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        public Task CommitAsync() => Transaction!.CommitAsync(Cancellation);

        public ValueTask DisposeAsync() => Connection.DisposeAsync();
    }
}
