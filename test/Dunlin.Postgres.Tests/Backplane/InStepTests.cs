using System.Collections.Concurrent;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Npgsql;

namespace Dunlin.Postgres.Tests.Backplane;

/// <summary>
/// The queries of a node for commits of others, with and without commit notifications of a backplane. The poll interval is so long that it
/// causes nothing unless the test says so.
/// </summary>
public sealed class InStepTests : IAsyncLifetime
{
    private readonly List<NodeHost> _nodes = [];
    private Backend _backend = null!;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    [Fact]
    public async Task A_node_in_step_does_not_query_the_database_for_1000_events()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        Relay(writer, events => Bring(reader, events));
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 125; i++)
                            await writer.AppendAsync(i);
                    })
                )
        );
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), await reader.NextAsync(1_000));
        var last = writer.Store.Head;
        await reader.WhenToldAsync(last);
        // Observers of the store's head are notified too.
        Assert.Equal(last, reader.Store.Head);
        Assert.Equal((1, 0), (reader.Heads, reader.Pages));
    }

    [Fact]
    public async Task A_notification_with_a_position_needs_no_head_query()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        reader.StoreBackplane.HintsCome(false);
        for (var i = 1; i <= 20; i++)
        {
            await writer.AppendAsync(i);
            Assert.Equal(i, (await reader.NextAsync()).Position.Offset);
        }
        Assert.Equal(1, reader.Heads);
        Assert.InRange(reader.Pages, 1, 20);
    }

    [Fact]
    public async Task A_lost_commit_notification_is_found_after_the_grace()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync(options => options.HintGrace = TimeSpan.FromMilliseconds(50)));
        await writer.AppendAsync();
        Assert.Equal(1, (await reader.NextAsync()).Position.Offset);
        Assert.Equal((1, 1), (reader.Heads, reader.Pages));
    }

    [Theory]
    [InlineData("", 0.1)]
    // The notification of an older version, without a position.
    [InlineData("SELECT pg_notify('dunlin', '')", 60)]
    public async Task A_commit_without_notification_or_position_is_found_by_a_query(string notify, double pollSeconds)
    {
        var reader = await StartAsync(options => options.PollInterval = TimeSpan.FromSeconds(pollSeconds));
        await using var writer = new NpgsqlConnection(_backend.ConnectionString);
        await writer.OpenAsync(TestContext.Current.CancellationToken);
        // Writes as a writer does, but without a notification.
        await new NpgsqlCommand(
            $"""
            INSERT INTO dunlin_topic (name) VALUES ('watched');
            INSERT INTO dunlin_journal ("offset", topic, type, data, time) SELECT 1, id, 'test.happened', '1', 0 FROM dunlin_topic WHERE name = 'watched';
            {notify}
            """,
            writer
        ).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, (await reader.NextAsync()).Position.Offset);
    }

    [Fact]
    public async Task A_notification_that_does_not_follow_the_head_skips_nothing()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        await writer.AppendAsync(1);
        var skipped = new TaskCompletionSource<IReadOnlyList<DunlinEvent>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Relay(writer, skipped.SetResult);
        await writer.AppendAsync(2);
        var second = await skipped.Task;
        reader.StoreBackplane.Hinted(second[0].Position, second[^1].Position);
        Assert.Equal(0, reader.Store.Head.Offset);
        Bring(reader, second);
        Assert.Equal([1, 2], await reader.NextAsync(2));
        Bring(reader, second);
        await writer.AppendAsync(3);
        reader.StoreBackplane.HintsCome(false);
        Assert.Equal(3, (await reader.NextAsync()).Position.Offset);
    }

    [Fact]
    public async Task A_notification_after_the_lock_request_is_not_taken_for_a_restore()
    {
        var node = await StartAsync();
        var known = node.Store.Head;
        await using var holder = new NpgsqlConnection(_backend.ConnectionString);
        await holder.OpenAsync(Backend.Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Backend.Cancellation);
        await new NpgsqlCommand("SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE", holder).ExecuteNonQueryAsync(Backend.Cancellation);
        var writing = node.AppendAsync();
        long waiting = 0;
        while (waiting == 0)
            waiting = await Database.ScalarAsync<long>(
                _backend.ConnectionString,
                "SELECT count(*) FROM pg_locks WHERE locktype = 'tuple' AND relation = 'dunlin_lock'::regclass"
            );
        // The case: this node was suspended while it held the lock, and its connection ended. Another node then wrote. Its notification
        // arrives before this node learns that its lock is gone.
        node.StoreBackplane.Hinted(known with { Offset = 1 }, known with { Offset = 1 });
        await transaction.RollbackAsync(Backend.Cancellation);
        await writing;
        Assert.Null(node.Store.Fault);
    }

    [Fact]
    public async Task Readers_skip_and_duplicate_nothing_with_lost_notifications()
    {
        TestSeed.NewRandom(out var seed);
        static void Soon(PostgresOptions options) =>
            (options.PollInterval, options.HintGrace) = (TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(5));
        var nodes = new[] { await StartAsync(Soon), await StartAsync(Soon), await StartAsync(Soon) };
        var waiting = new ConcurrentBag<(NodeHost To, IReadOnlyList<DunlinEvent> Events)>();
        for (var i = 0; i < nodes.Length; i++)
        {
            var (from, random) = (nodes[i], new Random(seed + i));
            Relay(
                from,
                events =>
                {
                    foreach (var to in nodes.Where(node => node != from))
                    {
                        switch (random.Next(5))
                        {
                            case 0:
                                break;
                            case 1:
                                waiting.Add((to, events));
                                break;
                            case 2:
                                Bring(to, events);
                                Bring(to, events);
                                break;
                            default:
                                Bring(to, events);
                                break;
                        }
                        if (random.Next(4) == 0 && waiting.TryTake(out var late))
                            Bring(late.To, late.Events);
                        to.StoreBackplane.HintsCome(random.Next(10) > 0);
                    }
                }
            );
        }
        await Task.WhenAll(
            Enumerable
                .Range(0, 9)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 60; i++)
                            await nodes[w % 3].AppendAsync(i);
                    })
                )
        );
        foreach (var node in nodes)
            Assert.Equal(Enumerable.Range(1, 540).Select(i => (long)i), await node.NextAsync(540));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _backend.DisposeAsync();
    }

    private async Task<NodeHost> StartAsync(Action<PostgresOptions>? configure = null)
    {
        var node = await NodeHost.StartAsync(
            _backend.ConnectionString,
            options =>
            {
                (options.PollInterval, options.HintGrace) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10));
                configure?.Invoke(options);
            }
        );
        _nodes.Add(node);
        node.StoreBackplane.HintsCome(true);
        // The first read of the head. The node listens from then on.
        await NodeHost.WhenAsync(() => node.Heads > 0);
        return node;
    }

    private static void Relay(NodeHost from, Action<IReadOnlyList<DunlinEvent>> hint) =>
        ((CommitFeed)from.Services.GetService(typeof(CommitFeed))!).Committed.Subscribe(hint);

    /// <summary>Delivers events as a backplane does.</summary>
    private static void Bring(NodeHost to, IReadOnlyList<DunlinEvent> events)
    {
        to.Fanout.OnCommitNotification(events);
        to.StoreBackplane.Hinted(events[0].Position, events[^1].Position);
    }
}
