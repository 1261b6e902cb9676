using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>Several nodes over one database.</summary>
public sealed class ManyNodesTests : IAsyncLifetime
{
    private Backend _backend = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Readers_of_all_nodes_skip_no_event_with_random_delays_and_rollbacks()
    {
        TestSeed.NewRandom(out var seed);
        var nodes = await OpenNodesAsync(3);
        await DelayCommitsAsync();
        var kept = new ConcurrentDictionary<long, int>();
        using var done = new CancellationTokenSource();
        var readers = nodes.Concat(nodes).Select(node => Task.Run(() => FollowAsync(node, done.Token))).ToList();
        await Task.WhenAll(
            Enumerable.Range(0, 12).Select(w => Task.Run(() => WriteRandomlyAsync(nodes[w % 3], w, new Random(seed + w), kept)))
        );
        await done.CancelAsync();
        var all = await Backend.ReadAllAsync(nodes[0]);
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Position.Offset));
        Assert.Equal(kept.Keys.Order(), all.Select(e => e.Position.Offset));
        Assert.All(
            all,
            e => Assert.Equal(kept[e.Position.Offset].ToString(CultureInfo.InvariantCulture), Encoding.UTF8.GetString(e.Data.Span))
        );
        foreach (var followed in await Task.WhenAll(readers))
            Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), followed);
    }

    [Fact]
    public async Task Units_of_work_of_all_nodes_are_serializable()
    {
        var nodes = await OpenNodesAsync(3);
        var resource = ResourceName.Parse("counters/1");
        await Task.WhenAll(
            Enumerable
                .Range(0, 12)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 15; i++)
                        {
                            await nodes[w % 3]
                                .WriteAsync(
                                    async (unit, ct) =>
                                    {
                                        var row = await unit.LeaseTable.FindAsync(resource, ct) ?? new LeaseRow(resource);
                                        await Task.Yield();
                                        await unit.LeaseTable.SaveAsync(row with { FencingToken = row.FencingToken + 1 }, ct);
                                    },
                                    Cancellation
                                );
                        }
                    })
                )
        );
        Assert.Equal(180, (await nodes[1].ReadAsync((scope, ct) => scope.LeaseTable.FindAsync(resource, ct), Cancellation))!.FencingToken);
    }

    [Fact]
    public async Task Two_nodes_with_the_same_concurrent_key_append_once()
    {
        var nodes = await OpenNodesAsync(2);
        for (var round = 0; round < 20; round++)
        {
            var key = new IdempotencyKey("u", $"k{round}");
            var answers = await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(i => Task.Run(async () => await nodes[i % 2].AppendAsync([Backend.Draft("a", round)], key, Cancellation)))
            );
            Assert.All(answers, answer => Assert.Equal(round + 1, Assert.Single(answer).Offset));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_is_notified_of_commits_of_another(bool throughPooler)
    {
        var (feed, heard) = (new CommitFeed(), new TaskCompletionSource<Position>(TaskCreationOptions.RunContinuationsAsynchronously));
        var first = await _backend.OpenAsync();
        var second = await _backend.OpenAsync(options => options.ThroughPooler = throughPooler, feed);
        feed.HeadMoved.Subscribe(position => heard.TrySetResult(position));
        var appended = await first.AppendAsync(Backend.Draft("a"), Cancellation);
        Assert.Equal(appended, await heard.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
        Assert.Equal(appended, second.Head);
    }

    [Fact]
    public async Task Head_is_read_from_the_database_before_the_first_notification()
    {
        var first = await _backend.OpenAsync();
        // The poll interval is so long that only the read of the head can find the event; nothing listens for notifications.
        var second = await _backend.OpenAsync(options => (options.ThroughPooler, options.PollInterval) = (true, TimeSpan.FromMinutes(1)));
        await second.ReadHeadAsync(Cancellation);
        var appended = await first.AppendAsync(Backend.Draft("a"), Cancellation);
        Assert.Equal(appended, await second.ReadHeadAsync(Cancellation));
        Assert.Equal(appended, second.Head);
    }

    [Fact]
    public async Task An_idle_transaction_blocks_nobody_and_leaves_no_dead_rows_for_writers()
    {
        var nodes = await OpenNodesAsync(2);
        await nodes[0].AppendAsync(Backend.Draft("a"), Cancellation);
        await using var idle = new NpgsqlConnection(_backend.ConnectionString);
        await idle.OpenAsync(Cancellation);
        await using var transaction = await idle.BeginTransactionAsync(System.Data.IsolationLevel.Serializable, Cancellation);
        // The session has written and read, so it holds a transaction id and a snapshot: later versions cannot be vacuumed.
        await new NpgsqlCommand("CREATE TABLE mine (x INT); SELECT count(*) FROM dunlin_journal", idle).ExecuteNonQueryAsync(Cancellation);
        _backend.Retention.Default.MaxCount = 50;
        for (var i = 0; i < 300; i++)
        {
            var node = nodes[i % 2];
            var position = await node.AppendAsync(Backend.Draft("a", i), Cancellation);
            Assert.Equal(i + 2, position.Offset);
        }
        Assert.Equal(301, (await nodes[1].ReadHeadAsync(Cancellation)).Offset);
        Assert.Equal(251, await nodes[0].TrimAsync(Cancellation));
        Assert.Equal(50, (await Backend.ReadAllAsync(nodes[1])).Count);
        // The tables that every append reads first still have one page each after three hundred transactions.
        foreach (var table in new[] { "dunlin_lock", "dunlin_counter" })
            Assert.Equal(8192, await Database.ScalarAsync<long>(_backend.ConnectionString, $"SELECT pg_relation_size('{table}')"));
        Assert.Equal(
            0,
            await Database.ScalarAsync<long>(
                _backend.ConnectionString,
                "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'dunlin_lock' AND schemaname = current_schema()"
            )
        );
    }

    [Fact]
    public async Task A_suspended_node_with_the_lock_is_disconnected_and_others_continue()
    {
        var node = await _backend.OpenAsync(options => options.WriteLimit = TimeSpan.FromMilliseconds(500));
        await using var stopped = new NpgsqlConnection(_backend.ConnectionString);
        await stopped.OpenAsync(Cancellation);
        await using var transaction = await stopped.BeginTransactionAsync(Cancellation);
        // Locks as another node's writer does, and then stops like a suspended process.
        await new NpgsqlCommand(
            "SELECT set_config('idle_in_transaction_session_timeout', '1500', true); SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE",
            stopped
        ).ExecuteNonQueryAsync(Cancellation);
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
    }

    [Fact]
    public async Task Writer_limits_its_idle_time_with_the_lock()
    {
        var node = await _backend.OpenAsync(options => options.WriteLimit = TimeSpan.FromSeconds(3));
        var limit = await node.WriteAsync(
            async (unit, ct) =>
            {
                await using var command = new NpgsqlCommand("SHOW idle_in_transaction_session_timeout", (NpgsqlConnection)unit.Connection);
                return (string)(await command.ExecuteScalarAsync(ct))!;
            },
            Cancellation
        );
        Assert.Equal("4s", limit);
    }

    [Fact]
    public async Task A_foreign_row_lock_delays_writers_but_not_readers()
    {
        var node = await _backend.OpenAsync();
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        await using var holder = new NpgsqlConnection(_backend.ConnectionString);
        await holder.OpenAsync(Cancellation);
        var transaction = await holder.BeginTransactionAsync(Cancellation);
        await new NpgsqlCommand("SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE", holder).ExecuteNonQueryAsync(Cancellation);
        var waiting = node.AppendAsync(Backend.Draft("a"), Cancellation).AsTask();
        Assert.Single(await Backend.ReadAllAsync(node));
        Assert.Equal(1, await node.ReadAsync((scope, _) => new ValueTask<long>(scope.Position.Offset), Cancellation));
        Assert.False(waiting.IsCompleted);
        await transaction.RollbackAsync(Cancellation);
        Assert.Equal(2, (await waiting).Offset);
    }

    [Fact]
    public async Task Lock_timeout_is_a_retryable_refusal()
    {
        var node = await _backend.OpenAsync(options =>
            (options.WriteLimit, options.Patience) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1))
        );
        await using var holder = new NpgsqlConnection(_backend.ConnectionString);
        await holder.OpenAsync(Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Cancellation);
        await new NpgsqlCommand("SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE", holder).ExecuteNonQueryAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await node.AppendAsync(Backend.Draft("a"), Cancellation));
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
    }

    private async Task<List<PostgresStore>> OpenNodesAsync(int count)
    {
        // Open concurrently, so that the nodes create the schema together.
        return [.. await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _backend.OpenAsync()))];
    }

    /// <summary>Delays every appending commit by up to 20 ms between its last statement and its end.</summary>
    private Task DelayCommitsAsync() =>
        Database.ExecuteAsync(
            _backend.ConnectionString,
            """
            CREATE FUNCTION delay() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(random() * random() * 0.02 / 3); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER delay AFTER INSERT ON dunlin_journal DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION delay();
            """
        );

    private static async Task WriteRandomlyAsync(PostgresStore node, int writer, Random random, ConcurrentDictionary<long, int> kept)
    {
        for (var i = 0; i < 25; i++)
        {
            var (count, fails, isPlain, value) = (random.Next(1, 4), random.Next(3) == 0, random.Next(3) == 0, (writer * 1_000) + i);
            try
            {
                var positions = isPlain
                    ? await node.AppendAsync(
                        [.. Enumerable.Range(0, count).Select(_ => Backend.Draft($"w/{writer}", value))],
                        null,
                        Cancellation
                    )
                    : await node.WriteAsync(
                        async (unit, ct) =>
                        {
                            var mine = new List<Position>();
                            for (var n = 0; n < count; n++)
                            {
                                mine.Add(await unit.AppendAsync(Backend.Draft($"w/{writer}/{i}/{n}", value), ct));
                                await using var sleep = new NpgsqlCommand(
                                    $"SELECT pg_sleep(0.00{random.Next(0, 5)})",
                                    (NpgsqlConnection)unit.Connection
                                );
                                await sleep.ExecuteNonQueryAsync(ct);
                            }
                            return fails ? throw new FormatException() : mine;
                        },
                        Cancellation
                    );
                foreach (var position in positions)
                    Assert.True(kept.TryAdd(position.Offset, value));
            }
            catch (FormatException)
            {
                // Intended to fail.
            }
        }
    }

    /// <summary>Reads page after page, as a stream does.</summary>
    private static async Task<List<long>> FollowAsync(PostgresStore node, CancellationToken done)
    {
        var seen = new List<long>();
        for (long after = 0; ; )
        {
            var isLast = done.IsCancellationRequested;
            var page = await node.ReadAsync(new JournalQuery(after, null, 7), Cancellation);
            seen.AddRange(page.Events.Select(e => e.Position.Offset));
            after = page.Through;
            if (isLast && !page.HasMore)
                return seen;
        }
    }
}
