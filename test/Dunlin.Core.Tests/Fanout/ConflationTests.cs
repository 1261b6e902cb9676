using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

public sealed class ConflationTests
{
    [Fact]
    public async Task A_fast_reader_gets_every_event()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", with: Conflating);
        for (var i = 0; i < 300; i++)
        {
            await node.PublishAsync("t", i);
            await node.Fanout.SettledAsync();
        }
        Assert.Equal(Enumerable.Range(1, 300).Select(i => (long)i), sink.Frames.Select(f => f.Offset));
    }

    [Fact]
    public async Task A_resumed_reader_gets_the_last_event_of_each_topic_and_type()
    {
        // Far more than tail and page hold: most of it is read from the journal in many pages.
        using var node = new TestNode(o => o.TailEvents = 64);
        for (var i = 0; i < 3_000; i++)
            await node.PublishAsync(i % 3 == 0 ? "ships/1" : "ships/2", i);
        await node.Journal.AppendAsync(EventDraft.Of(TopicName.Parse("ships/1"), "sunk", "when"));
        await node.PublishAsync("ships/2", "last");
        var sink = new TestSink();
        await node.ConnectAsync(sink, "ships/**", node.Journal.Head with { Offset = 0 }, Conflating);
        Assert.Equal(
            [("e", "2997", 2_998), ("sunk", "\"when\"", 3_001), ("e", "\"last\"", 3_002)],
            sink.Frames.Select(f => (f.Name!, f.Data, f.Offset))
        );
    }

    [Fact]
    public async Task Events_during_a_write_are_conflated_and_not_queued()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", with: Conflating);
        await node.StallAsync(sink, "t", 0);
        for (var i = 1; i < 100; i++)
            await node.PublishAsync("t", i);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        var frames = await sink.WhenCountAsync(2);
        Assert.Equal(["0", "99"], frames.Select(f => f.Data));
        await node.PublishAsync("t", 100);
        Assert.Equal("100", (await sink.WhenCountAsync(3))[2].Data);
    }

    [Fact]
    public async Task Events_during_catch_up_are_conflated_too()
    {
        HeldJournal journal = null!;
        using var node = new TestNode(o => (o.TailEvents, o.Shards) = (256, 1), inner => journal = new HeldJournal(inner, after: 0));
        for (var i = 0; i < 300; i++)
            await node.PublishAsync("t", i);
        var sink = new TestSink();
        var connection = node.Open(sink, "t", Conflating);
        var starting = node.Fanout.StartAsync(connection, default, node.Journal.Head with { Offset = 0 });
        await journal.Reading.WaitAsync(TimeSpan.FromSeconds(20));
        var blocked = sink.Hold();
        journal.LetGo();
        await blocked.WaitAsync(TimeSpan.FromSeconds(20));
        for (var i = 300; i < 400; i++)
            await node.PublishAsync("t", i);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        await node.PublishAsync("t", 400);
        var frames = await sink.WhenAsync(f => f.Any(frame => frame.Data == "400"));
        Assert.Equal(["299", "399", "400"], frames.Select(f => f.Data));
    }

    [Fact]
    public async Task Backlog_in_several_parts_ends_with_the_last_event_of_each_topic()
    {
        using var node = new TestNode();
        const int topics = 1_000;
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < topics; i++)
                await node.PublishAsync($"ships/{i}", round);
        }
        var sink = new TestSink();
        await node.ConnectAsync(sink, "ships/**", node.Journal.Head with { Offset = 0 }, Conflating);
        var frames = sink.Frames;
        Assert.Equal(frames.Select(f => f.Offset).Order().Distinct(), frames.Select(f => f.Offset));
        Assert.Equal(Enumerable.Range((2 * topics) + 1, topics).Select(i => (long)i), frames.TakeLast(topics).Select(f => f.Offset));
        Assert.InRange(sink.Flushes, topics / 256, 30);
    }

    [Fact]
    public async Task G2_Any_stop_and_resume_ends_with_the_last_event_of_each_topic()
    {
        var random = TestSeed.NewRandom(out _);
        using var node = new TestNode(o => o.TailEvents = 64);
        var sink = new TestSink();
        await node.ConnectAsync(sink, "a b c/*", with: Conflating);
        string[] topics = ["a", "b", "c/1", "c/2"];
        var last = new Dictionary<string, long>();
        for (var i = 0; i < 3_000; i++)
        {
            if (random.Next(30) == 0)
                _ = sink.Hold();
            if (random.Next(40) == 0)
                sink.LetGo();
            var topic = topics[random.Next(topics.Length)];
            last[topic] = (await node.PublishAsync(topic, topic)).Offset;
            // Otherwise everything could arrive in one round, without a backlog.
            if (random.Next(5) == 0)
                await node.Fanout.SettledAsync();
        }
        sink.LetGo();
        var frames = await sink.WhenAsync(f => f.Any(frame => frame.Offset == 3_000));
        Assert.Equal(frames.Select(f => f.Offset).Order().Distinct(), frames.Select(f => f.Offset));
        AssertHoldsLast(frames);
        Assert.True(frames.Count < 3_000, "It never fell behind, so nothing was shown.");
        for (var round = 0; round < 20; round++)
        {
            // Resume after any received event, with or without conflation.
            var at = random.Next(frames.Count);
            var resumed = new TestSink();
            await node.ConnectAsync(
                resumed,
                "a b c/*",
                node.Journal.Head with
                {
                    Offset = frames[at].Offset,
                },
                random.Next(2) == 0 ? Conflating : null
            );
            AssertHoldsLast([.. frames.Take(at + 1), .. resumed.Frames]);
        }

        void AssertHoldsLast(IReadOnlyList<TestFrame> received)
        {
            foreach (var (topic, offset) in last)
                Assert.Equal(offset, received.Last(f => f.Data == $"\"{topic}\"").Offset);
        }
    }

    [Fact]
    public async Task G4_Events_without_permission_at_send_time_are_not_sent()
    {
        // Hold the second page back: by then the first was read and not sent.
        HeldJournal journal = null!;
        using var node = new TestNode(o => (o.TailEvents, o.Shards) = (64, 1), inner => journal = new HeldJournal(inner, after: 256));
        for (var i = 0; i < 1_000; i++)
            await node.PublishAsync(i == 0 ? "secret" : "open", i);
        var sink = new TestSink();
        var connection = node.Open(sink, "open secret", Conflating);
        var starting = node.Fanout.StartAsync(connection, default, node.Journal.Head with { Offset = 0 });
        await journal.Reading.WaitAsync(TimeSpan.FromSeconds(20));
        await node.Fanout.ReauthorizeAsync("ann", (_, topic) => new(topic.Value == "open"));
        await node.Fanout.SettledAsync();
        journal.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        var frames = await sink.WhenAsync(f => f.Any(frame => frame.Data == "999"));
        Assert.DoesNotContain("0", frames.Select(f => f.Data));
    }

    [Fact]
    public async Task G2_A_reset_drops_the_backlog_that_was_collected_before_it()
    {
        HeldJournal journal = null!;
        using var node = new TestNode(o => o.TailEvents = 16, inner => journal = new HeldJournal(inner, after: 1));
        for (var i = 0; i < 600; i++)
            await node.PublishAsync("t", i);
        var sink = new TestSink();
        var connection = node.Open(sink, "t", Conflating);
        var starting = node.Fanout.StartAsync(connection, default, node.Journal.Head with { Offset = 0 });
        await journal.Reading.WaitAsync(TimeSpan.FromSeconds(20));
        node.Retention.Prefixes["t"] = new RetentionRule { MaxCount = 5 };
        await node.Store.TrimAsync(TestContext.Current.CancellationToken);
        journal.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        await node.PublishAsync("t", "after");
        var frames = await sink.WhenAsync(f => f.Any(frame => frame.Data == "\"after\""));
        Assert.Equal(["dunlin.reset", "e"], frames.Select(f => f.Name));
    }

    [Fact]
    public async Task Excluded_own_events_supersede_nothing()
    {
        using var node = new TestNode();
        await node.PublishAsync("t", "theirs");
        await node.PublishAsync("t", "mine", new EventOrigin("ann", DeviceId: "phone"));
        var sink = new TestSink();
        await node.ConnectAsync(
            sink,
            "t",
            node.Journal.Head with
            {
                Offset = 0,
            },
            request => Conflating(request) with { Caller = TestNode.User(device: "phone"), Exclusion = OriginExclusion.Device }
        );
        Assert.Equal(["\"theirs\""], sink.Frames.Select(f => f.Data));
    }

    private static ConnectionRequest Conflating(ConnectionRequest request) => request with { Conflates = true };

    /// <summary>Blocks reads after an offset until it is released.</summary>
    private sealed class HeldJournal(IJournal inner, long after) : JournalDecorator(inner)
    {
        private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reading => _reading.Task;

        public void LetGo() => _go.SetResult();

        public override async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
        {
            if (query.After >= after)
            {
                _reading.TrySetResult();
                await _go.Task;
            }
            return await base.ReadAsync(query, cancellationToken);
        }
    }
}
