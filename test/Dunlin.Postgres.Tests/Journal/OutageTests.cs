using System.Collections.Concurrent;
using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Accounts;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>A database that becomes unavailable, and a connection to it that breaks.</summary>
public sealed class OutageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task Server_restart_loses_and_duplicates_no_event(string signal)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var backend = await Backend.NewAsync(server);
        var nodes = new[] { await backend.OpenAsync(), await backend.OpenAsync() };
        var acknowledged = new ConcurrentDictionary<string, long>();
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 8).Select(w => Task.Run(() => PublishAsync(nodes, w, acknowledged, stop.Token))).ToList();
        await WhenAsync(() => acknowledged.Count >= 40);
        await server.StopAsync(signal);
        await WhenAsync(() => nodes[0].Fault is not null);
        await server.StartAsync();
        var before = acknowledged.Count;
        await WhenAsync(() => acknowledged.Count >= before + 40);
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Null(nodes[0].Fault);
        var all = await Backend.ReadAllAsync(nodes[1]);
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Position.Offset));
        Assert.Equal(acknowledged.Values.Order(), all.Select(e => e.Position.Offset));
        Assert.Contains(backend.Log.Entries, entry => entry.Id == 2130);
        Assert.Contains(backend.Log.Entries, entry => entry.Id == 2131);
    }

    [Fact]
    public async Task A_commit_with_a_lost_reply_is_resolved_to_its_outcome()
    {
        await using var line = await Line.NewAsync();
        var node = await line.OpenAsync();
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        line.AtNextCommit(ProxyAction.CutAtAnswer);
        Assert.Equal(2, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
        line.AtNextCommit(ProxyAction.CutAtAnswer);
        var runs = 0;
        var position = await node.WriteAsync(
            async (unit, ct) =>
            {
                runs++;
                return await unit.AppendAsync(Backend.Draft("b"), ct);
            },
            Cancellation
        );
        Assert.Equal((3, 1), (position.Offset, runs));
        Assert.Equal([1, 2, 3], (await Backend.ReadAllAsync(node)).Select(e => e.Position.Offset));
        Assert.Equal(2, line.Backend.Log.Entries.Count(entry => entry.Id == 2123));
    }

    [Fact]
    public async Task A_commit_that_never_arrived_is_retried_for_appends_but_not_for_units()
    {
        await using var line = await Line.NewAsync();
        var node = await line.OpenAsync();
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        line.AtNextCommit(ProxyAction.CutBefore);
        Assert.Equal(2, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
        line.AtNextCommit(ProxyAction.CutBefore);
        var refused = await Assert.ThrowsAsync<DunlinException>(async () =>
            await node.WriteAsync((unit, ct) => unit.AppendAsync(Backend.Draft("b"), ct), Cancellation)
        );
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        Assert.Equal(3, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
        Assert.DoesNotContain(await Backend.ReadAllAsync(node), e => e.Topic.Value == "b");
    }

    [Theory]
    [InlineData(ProxyAction.CutAtAnswer, false)]
    [InlineData(ProxyAction.CutAtAnswer, true)]
    [InlineData(ProxyAction.CutBefore, false)]
    [InlineData(ProxyAction.CutBefore, true)]
    public async Task A_commit_that_cannot_be_resolved_has_an_unknown_outcome(ProxyAction action, bool inUnit)
    {
        await using var line = await Line.NewAsync();
        var time = new ManualTime();
        var node = await line.OpenAsync(time: time);
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        var ended = line.EndAtNextCommit(action);
        Task write = inUnit
            ? node.WriteAsync((unit, ct) => unit.AppendAsync(Backend.Draft("b"), ct), Cancellation).AsTask()
            : node.AppendAsync([Backend.Draft("b")], new IdempotencyKey("u", "k"), Cancellation).AsTask();
        // The time limit of the write must not pass before COMMIT is sent. Until then nothing is stored, and the answer says so.
        await ended.WaitAsync(Cancellation);
        while (!write.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        var refused = await Assert.ThrowsAsync<DunlinException>(() => write);
        Assert.Equal(ErrorCode.OutcomeUnknown, refused.Code);
        Assert.DoesNotContain("nothing", refused.Message + refused.Code.Hint, StringComparison.Ordinal);
        line.Proxy.OnRequest = null;
        // The remedy that the hint names.
        if (!inUnit)
            Assert.Equal(2, (await node.AppendAsync([Backend.Draft("b")], new IdempotencyKey("u", "k"), Cancellation))[0].Offset);
        Assert.Equal(inUnit && action == ProxyAction.CutBefore ? 1 : 2, (await Backend.ReadAllAsync(node)).Count);
    }

    [Theory]
    [InlineData(ProxyAction.CutAtAnswer)]
    [InlineData(ProxyAction.CutBefore)]
    public async Task A_non_journal_change_with_a_lost_reply_has_an_unknown_outcome(ProxyAction action)
    {
        await using var line = await Line.NewAsync();
        // A connection that is reset before its next use gets two answers. The first contains nothing about the change.
        var sessions = new SessionStore(await line.OpenAsync(resets: false));
        var session = new SessionRow("s1", "u1", "cut-here", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, "");
        line.Proxy.OnRequest = piece => piece.Span.IndexOf("cut-here"u8) >= 0 ? action : ProxyAction.Pass;
        var lost = await Assert.ThrowsAsync<DunlinException>(async () => await sessions.AddAsync(session, Cancellation));
        Assert.Equal(ErrorCode.OutcomeUnknown, lost.Code);
        Assert.DoesNotContain("nothing", lost.Message, StringComparison.Ordinal);
        line.Proxy.OnRequest = null;
        // The remedy that the hint names: read the state before repeating the change.
        Assert.Equal(action == ProxyAction.CutAtAnswer, await sessions.FindAsync("s1", Cancellation) is not null);
    }

    [Fact]
    public async Task A_non_journal_change_that_cannot_be_sent_is_refused_without_effect()
    {
        await using var line = await Line.NewAsync();
        var sessions = new SessionStore(await line.OpenAsync());
        line.Proxy.Block();
        var session = new SessionRow("s1", "u1", "h", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, "");
        var code = ErrorCode.OutcomeUnknown;
        // Only a statement can detect that a pooled connection is broken.
        while (code == ErrorCode.OutcomeUnknown)
            code = (await Assert.ThrowsAsync<DunlinException>(async () => await sessions.AddAsync(session, Cancellation))).Code;
        Assert.Equal(ErrorCode.StoreUnavailable, code);
        line.Proxy.Restore();
        Assert.Null(await sessions.FindAsync("s1", Cancellation));
    }

    [Fact]
    public async Task A_lost_unit_is_not_committed_by_the_next_owner_of_its_id()
    {
        // Nothing but a commit flushes the log, so that the crash loses the transaction.
        await using var server = await PostgresServer.StartNewAsync(isDurable: false, "wal_writer_delay=10s");
        await using var backend = await Backend.NewAsync(server);
        const string current = "SELECT pg_current_xact_id()::text::bigint";
        await Database.ExecuteAsync(backend.ConnectionString, "CREATE TABLE probe (n INT)");
        var node = await backend.OpenAsync();
        for (var isReused = false; !isReused; )
        {
            await Assert.ThrowsAsync<DunlinException>(async () =>
                await node.WriteAsync(
                    async (unit, ct) =>
                    {
                        await using var insert = new NpgsqlCommand(
                            $"INSERT INTO probe VALUES (1); {current}",
                            (NpgsqlConnection)unit.Connection
                        );
                        var lost = (long)(await insert.ExecuteScalarAsync(ct))!;
                        await server.StopAsync("QUIT");
                        await server.StartAsync();
                        long next;
                        do next = await Database.ScalarAsync<long>(backend.ConnectionString, current);
                        while (next < lost);
                        isReused = next == lost;
                        return 0;
                    },
                    Cancellation
                )
            );
        }
        Assert.Equal(0, await Database.ScalarAsync<long>(backend.ConnectionString, "SELECT count(*) FROM probe"));
    }

    [Fact]
    public async Task Commits_with_a_lost_reply_are_announced_once_in_order()
    {
        await using var line = await Line.NewAsync();
        var (feed, announced) = (new CommitFeed(), new List<long>());
        feed.Committed.Subscribe(events => announced.AddRange(events.Select(e => e.Position.Offset)));
        var node = await line.OpenAsync(feed);
        var random = TestSeed.NewRandom(out _);
        for (var i = 0; i < 30; i++)
        {
            if (i < 3 || random.Next(3) == 0)
                line.AtNextCommit(i < 3 || random.Next(2) == 0 ? ProxyAction.CutBefore : ProxyAction.CutAtAnswer);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(n => node.AppendAsync(Backend.Draft("a", n), Cancellation).AsTask()));
        }
        Assert.Equal(Enumerable.Range(1, 120).Select(i => (long)i), announced);
        var stored = await Backend.ReadAllAsync(node);
        Assert.Equal(announced, stored.Select(e => e.Position.Offset));
        // Appends that are sent again keep their order.
        Assert.Equal(Enumerable.Range(0, 120).Select(i => i % 4), stored.Select(e => JsonSerializer.Deserialize<int>(e.Data.Span)));
    }

    [Fact]
    public async Task A_cut_connection_reopens_and_health_reports_the_outage()
    {
        await using var line = await Line.NewAsync();
        var node = await line.OpenAsync();
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        line.Proxy.Block();
        await WhenAsync(() => node.Fault is not null);
        var waiting = node.AppendAsync(Backend.Draft("a"), Cancellation).AsTask();
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await node.ReadHeadAsync(Cancellation));
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        line.Proxy.Restore();
        Assert.Equal(2, (await waiting).Offset);
        await WhenAsync(() => node.Fault is null);
        Assert.False(node.Faulted.IsCancellationRequested);
    }

    [Fact]
    public async Task A_write_that_waits_too_long_for_the_database_is_refused()
    {
        await using var line = await Line.NewAsync();
        var node = await line.OpenAsync(patience: TimeSpan.FromMilliseconds(200));
        line.Proxy.Block();
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await node.AppendAsync(Backend.Draft("a"), Cancellation));
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        line.Proxy.Restore();
        Assert.Equal(1, (await node.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
    }

    [Fact]
    public async Task A_journal_that_was_restored_to_an_older_state_stops_the_node()
    {
        await using var backend = await Backend.NewAsync();
        var node = await backend.OpenAsync();
        for (var i = 0; i < 3; i++)
            await node.AppendAsync(Backend.Draft("a", i), Cancellation);
        await Database.ExecuteAsync(backend.ConnectionString, "DELETE FROM dunlin_journal WHERE \"offset\" > 1");
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await node.AppendAsync(Backend.Draft("a"), Cancellation));
        Assert.Equal(ErrorCode.StoreUnavailable, refused.Code);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, node.Faulted).ContinueWith(static _ => { }, TaskScheduler.Default);
        Assert.NotNull(node.Fault);
        var again = await backend.OpenAsync();
        Assert.Equal(2, (await again.AppendAsync(Backend.Draft("a"), Cancellation)).Offset);
    }

    private static async Task PublishAsync(
        PostgresStore[] nodes,
        int writer,
        ConcurrentDictionary<string, long> acknowledged,
        CancellationToken stop
    )
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var key = new IdempotencyKey("u", $"{writer}-{i}");
            while (!acknowledged.ContainsKey(key.Key))
            {
                try
                {
                    // Another node for each attempt, as behind a load balancer.
                    var positions = await nodes[Random.Shared.Next(2)].AppendAsync([Backend.Draft($"w/{writer}", i)], key, Cancellation);
                    Assert.True(acknowledged.TryAdd(key.Key, positions[0].Offset));
                }
                catch (DunlinException error) when (error.Code == ErrorCode.StoreUnavailable || error.Code == ErrorCode.OutcomeUnknown)
                {
                    // Unknown or refused: the idempotency key makes a retry safe.
                }
            }
        }
    }

    private static async Task WhenAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    /// <summary>A database behind a proxy.</summary>
    private sealed class Line : IAsyncDisposable
    {
        private string _connectionString = "";
        private ProxyAction _next;

        public Backend Backend { get; private set; } = null!;

        public TcpProxy Proxy { get; } = new(Database.Server.Port);

        public static async Task<Line> NewAsync()
        {
            var line = new Line { Backend = await Backend.NewAsync() };
            line._connectionString = new NpgsqlConnectionStringBuilder(line.Backend.ConnectionString)
            {
                Port = line.Proxy.Port,
                SslMode = SslMode.Disable,
            }.ConnectionString;
            return line;
        }

        public Task<PostgresStore> OpenAsync(
            CommitFeed? feed = null,
            TimeSpan? patience = null,
            TimeProvider? time = null,
            bool resets = true
        ) =>
            Backend.OpenAsync(
                options =>
                {
                    options.ConnectionString = new NpgsqlConnectionStringBuilder(_connectionString)
                    {
                        NoResetOnClose = !resets,
                    }.ConnectionString;
                    options.Patience = patience ?? options.Patience;
                },
                feed,
                time
            );

        /// <summary>Applies an action to the connection at the writer's next final statements. Nothing passes afterwards.</summary>
        /// <returns>Completes when these statements arrived.</returns>
        public Task EndAtNextCommit(ProxyAction action)
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Proxy.OnRequest = piece =>
                ended.Task.IsCompleted ? ProxyAction.CutBefore
                : !IsCommit(piece.Span) ? ProxyAction.Pass
                : ended.TrySetResult() ? action
                : ProxyAction.CutBefore;
            return ended.Task;
        }

        /// <summary>
        /// Sets the action for the writer's next final statements, which include COMMIT. They are sent together. The proxy identifies them
        /// by the event type, because prepared statements are sent without their text.
        /// </summary>
        public void AtNextCommit(ProxyAction action)
        {
            _next = action;
            Proxy.OnRequest = piece =>
            {
                if (_next == ProxyAction.Pass || !IsCommit(piece.Span))
                    return ProxyAction.Pass;
                var taken = _next;
                _next = ProxyAction.Pass;
                return taken;
            };
        }

        public async ValueTask DisposeAsync()
        {
            await Backend.DisposeAsync();
            await Proxy.DisposeAsync();
        }

        private static bool IsCommit(ReadOnlySpan<byte> piece) => piece.IndexOf("test.happened"u8) >= 0;
    }
}
