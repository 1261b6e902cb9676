using System.Collections.Concurrent;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Npgsql;

namespace Dunlin.Postgres.Tests.Backplane;

/// <summary>What a node asks the database of what others commit, while hints bring it and while they do not. The poll is so far away
/// that nothing here comes by it, unless the test says so.</summary>
public sealed class InStepTests : IAsyncLifetime
{
    private readonly List<NodeHost> _nodes = [];
    private Backend _backend = null!;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    [Fact]
    public async Task A_node_in_step_asks_the_database_nothing_while_a_thousand_events_come_by_hints()
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
        // Whoever goes by what the store knows is told as well.
        Assert.Equal(last, reader.Store.Head);
        Assert.Equal((1, 0), (reader.Heads, reader.Pages));
    }

    [Fact]
    public async Task The_position_that_a_notification_names_needs_no_question_for_the_head_either()
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
    public async Task A_hint_that_is_lost_is_found_after_the_grace()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync(options => options.HintGrace = TimeSpan.FromMilliseconds(50)));
        await writer.AppendAsync();
        Assert.Equal(1, (await reader.NextAsync()).Position.Offset);
        Assert.Equal((1, 1), (reader.Heads, reader.Pages));
    }

    [Theory]
    [InlineData("", 0.1)]
    // As a node of an older version notifies, which does not say how far it is.
    [InlineData("SELECT pg_notify('dunlin', '')", 60)]
    public async Task What_was_committed_without_a_hint_or_a_position_is_found_by_a_question(string notify, double pollSeconds)
    {
        var reader = await StartAsync(options => options.PollInterval = TimeSpan.FromSeconds(pollSeconds));
        await using var writer = new NpgsqlConnection(_backend.ConnectionString);
        await writer.OpenAsync(TestContext.Current.CancellationToken);
        // As a writer does it, without its notification.
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
    public async Task A_hint_that_does_not_begin_where_the_node_is_is_no_reason_to_skip()
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
    public async Task A_hint_that_comes_after_the_lock_was_asked_for_does_not_look_like_a_database_that_was_set_back()
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
        // As where this node stood still with the lock, was disconnected, and another went on: it hears of that first.
        node.StoreBackplane.Hinted(known with { Offset = 1 }, known with { Offset = 1 });
        await transaction.RollbackAsync(Backend.Cancellation);
        await writing;
        Assert.Null(node.Store.Fault);
    }

    [Fact]
    public async Task Readers_skip_and_double_nothing_whatever_becomes_of_the_hints()
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
        // The first look, after which it listens.
        await NodeHost.WhenAsync(() => node.Heads > 0);
        return node;
    }

    private static void Relay(NodeHost from, Action<IReadOnlyList<DunlinEvent>> hint) =>
        ((CommitFeed)from.Services.GetService(typeof(CommitFeed))!).Committed.Subscribe(hint);

    /// <summary>As a backplane brings it.</summary>
    private static void Bring(NodeHost to, IReadOnlyList<DunlinEvent> events)
    {
        to.Fanout.OnCommitNotification(events);
        to.StoreBackplane.Hinted(events[0].Position, events[^1].Position);
    }
}
