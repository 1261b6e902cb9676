using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

public sealed class FanoutTests
{
    [Fact]
    public async Task An_event_reaches_every_connection_of_its_topic_and_no_other()
    {
        using var node = new TestNode();
        TestSink one = new(),
            two = new(),
            other = new();
        await node.ConnectAsync(one, "a/1 a/2");
        await node.ConnectAsync(two, "a/1");
        await node.ConnectAsync(other, "a/10");
        await node.PublishAsync("a/1", "x");
        await node.PublishAsync("a/10", "end");
        await node.PublishAsync("a/2", "y");
        Assert.Equal(["\"x\"", "\"y\""], (await one.WhenCountAsync(2)).Select(f => f.Data));
        Assert.Equal(["\"x\""], (await two.WhenCountAsync(1)).Select(f => f.Data));
        Assert.Equal(["\"end\""], (await other.WhenCountAsync(1)).Select(f => f.Data));
    }

    [Fact]
    public async Task G2_A_resumed_connection_misses_nothing_and_sees_nothing_twice()
    {
        using var node = new TestNode();
        var first = new TestSink();
        var connection = await node.ConnectAsync(first, "t");
        await node.PublishAsync("t", 1);
        await node.PublishAsync("t", 2);
        var seen = await first.WhenCountAsync(2);
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
        await node.PublishAsync("t", 3);
        await node.PublishAsync("u", "not mine");
        await node.PublishAsync("t", 4);

        var second = new TestSink();
        await node.ConnectAsync(second, "t", Position.Parse(seen[^1].Id!, null));
        await node.PublishAsync("t", 5);
        Assert.Equal(["3", "4", "5"], (await second.WhenCountAsync(3)).Select(f => f.Data));
        Assert.Equal(["1", "2"], first.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task G2_Joining_while_events_are_published_leaves_no_gap_and_no_duplicate()
    {
        var random = TestSeed.NewRandom(out _);
        using var node = new TestNode(o => (o.Shards, o.TailEvents) = (2, 64));
        const int total = 3_000;
        var sinks = new List<TestSink>();
        var publishing = Task.Run(async () =>
        {
            for (var i = 1; i <= total; i++)
                await node.PublishAsync(i % 3 == 0 ? "other" : "t", i);
        });
        var starts = new List<Position>();
        var resumed = new List<bool>();
        for (var i = 0; i < 40; i++)
        {
            var sink = new TestSink();
            // Some from the beginning (far behind the small tail), some from somewhere, some from now.
            var head = node.Journal.Head;
            var resume = random.Next(3) switch
            {
                0 => head with { Offset = 0 },
                1 => head with { Offset = random.NextInt64(head.Offset + 1) },
                _ => (Position?)null,
            };
            starts.Add(resume ?? node.Fanout.DeliveredHead);
            resumed.Add(resume is not null);
            sinks.Add(sink);
            await node.ConnectAsync(sink, "t", resume);
        }
        await publishing;
        var last = (await node.PublishAsync("t", "last")).Offset;
        for (var i = 0; i < sinks.Count; i++)
        {
            var frames = await sinks[i].WhenAsync(f => f.Count > 0 && f[^1].Offset == last);
            var offsets = frames.Select(f => f.Offset).ToList();
            // One that begins "now" may begin a little later than this thread believed; nothing may be missing after its first.
            var from = resumed[i] ? starts[i].Offset + 1 : offsets[0];
            Assert.Equal(Enumerable.Range(1, total).Where(n => n >= from && n % 3 != 0).Select(n => (long)n).Append(last), offsets);
        }
    }

    [Fact]
    public async Task G2_A_position_of_another_history_gets_a_reset_and_goes_on_from_now()
    {
        using var node = new TestNode();
        await node.PublishAsync("t", 1);
        var head = node.Journal.Head;
        foreach (var (resume, reason) in new[] { (head with { Epoch = head.Epoch + 1 }, "epoch"), (head with { Offset = 99 }, "ahead") })
        {
            var sink = new TestSink();
            await node.ConnectAsync(sink, "t", resume);
            await node.PublishAsync("t", reason);
            var frames = await sink.WhenCountAsync(2);
            Assert.Equal("dunlin.reset", frames[0].Name);
            Assert.Contains($"\"reason\":\"{reason}\"", frames[0].Data, StringComparison.Ordinal);
            Assert.Equal($"\"{reason}\"", frames[1].Data);
        }
    }

    [Fact]
    public async Task G2_A_position_before_trimmed_events_of_its_topic_gets_a_reset_and_others_do_not()
    {
        using var node = new TestNode(o => o.TailEvents = 64);
        await node.PublishAsync("kept", 0);
        for (var i = 1; i <= 200; i++)
            await node.PublishAsync("trimmed", i);
        node.Retention.Prefixes["trimmed"] = new RetentionRule { MaxCount = 10 };
        Assert.Equal(190, await node.Journal.TrimAsync(default));
        TestSink trimmed = new(),
            kept = new();
        var beginning = node.Journal.Head with { Offset = 0 };
        await node.ConnectAsync(trimmed, "trimmed", beginning);
        await node.ConnectAsync(kept, "kept", beginning);
        await node.PublishAsync("trimmed", "after");
        var frames = await trimmed.WhenAsync(f => f.Any(x => x.Data == "\"after\""));
        Assert.Equal("dunlin.reset", frames[0].Name);
        Assert.Equal(2, frames.Count);
        Assert.Equal(["0"], (await kept.WhenCountAsync(1)).Select(f => f.Data));
    }

    [Fact]
    public async Task Hints_that_arrive_out_of_order_or_not_at_all_still_deliver_every_event_in_order()
    {
        // Two nodes over one journal: the second hears only some hints, late and in the wrong order.
        using var node = new TestNode();
        using var listener = new TestNode(decorate: _ => node.Store);
        var sink = new TestSink();
        await listener.ConnectAsync(sink, "t");
        var events = new List<IReadOnlyList<DunlinEvent>>();
        node.Feed.Committed.Subscribe(events.Add);
        for (var i = 1; i <= 50; i++)
            await node.PublishAsync("t", i);
        listener.Fanout.OnCommitNotification(events[29]);
        listener.Fanout.OnCommitNotification(events[9]);
        listener.Fanout.OnCommitNotification(events[49]);
        listener.Fanout.OnCommitNotification(events[48]);
        var frames = await sink.WhenCountAsync(50);
        Assert.Equal(Enumerable.Range(1, 50).Select(n => (long)n), frames.Select(f => f.Offset));
    }

    [Theory]
    [InlineData(OriginExclusion.None, "own device session other")]
    [InlineData(OriginExclusion.Device, "session other")]
    [InlineData(OriginExclusion.Session, "other")]
    [InlineData(OriginExclusion.Connection, "device session other")]
    public async Task An_originator_does_not_hear_itself_and_nobody_can_hide_an_event_from_another(OriginExclusion exclusion, string heard)
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(
            sink,
            "t",
            with: r => r with { Exclusion = exclusion, Caller = TestNode.User("ann", "s1", "d1") }
        );
        await node.PublishAsync("t", "own", new EventOrigin("ann", "s1", connection.Id, "d1"));
        await node.PublishAsync("t", "device", new EventOrigin("ann", "s1", "another", "d1"));
        await node.PublishAsync("t", "session", new EventOrigin("ann", "s1", "another", "d2"));
        // Another user who names ann's ids is not ann.
        await node.PublishAsync("t", "other", new EventOrigin("bob", "s1", connection.Id, "d1"));
        var frames = await sink.WhenAsync(f => f.Any(x => x.Data == "\"other\""));
        Assert.Equal(heard.Split(' '), frames.Select(f => f.Data.Trim('"')));
    }

    [Fact]
    public async Task A_transient_event_is_delivered_live_without_an_id_and_never_replayed()
    {
        using var node = new TestNode();
        var live = new TestSink();
        await node.ConnectAsync(live, "t");
        node.Fanout.PublishTransient(TestNode.Draft("t", "typing"));
        await node.PublishAsync("t", 1);
        var frames = await live.WhenCountAsync(2);
        Assert.Equal(("\"typing\"", null), (frames[0].Data, frames[0].Id));
        var later = new TestSink();
        await node.ConnectAsync(later, "t", node.Journal.Head with { Offset = 0 });
        Assert.Equal(["1"], (await later.WhenCountAsync(1)).Select(f => f.Data));
    }

    [Fact]
    public async Task A_transient_event_crosses_the_backplane()
    {
        var backplane = new InProcessBackplane();
        using var one = new TestNode(backplane: backplane);
        using var two = new TestNode(backplane: backplane);
        var sink = new TestSink();
        await two.ConnectAsync(sink, "t");
        one.Fanout.PublishTransient(TestNode.Draft("t", "typing"));
        Assert.Equal("\"typing\"", (await sink.WhenCountAsync(1))[0].Data);
    }

    [Fact]
    public async Task An_event_is_encoded_once_for_all_connections_of_a_format()
    {
        using var node = new TestNode(o => o.Shards = 2);
        var format = new CountingFormat();
        var sinks = Enumerable.Range(0, 50).Select(_ => new TestSink()).ToList();
        foreach (var sink in sinks)
            await node.ConnectAsync(sink, "t", with: r => r with { Format = format });
        await node.PublishAsync("t", 1);
        foreach (var sink in sinks)
            await sink.WhenCountAsync(1);
        Assert.Equal(1, format.Writes);
    }

    [Fact]
    public async Task Many_events_committed_together_are_flushed_once()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t");
        var before = sink.Flushes;
        await node.Journal.AppendAsync([.. Enumerable.Range(0, 20).Select(i => TestNode.Draft("t", i))], null, default);
        await sink.WhenCountAsync(20);
        Assert.Equal(1, sink.Flushes - before);
    }

    private sealed class CountingFormat : IWireFormat
    {
        private int _writes;

        public int Writes => _writes;

        public void Write(DunlinEvent source, FrameWriter frame)
        {
            Interlocked.Increment(ref _writes);
            frame.Data(source.Data.Span);
        }
    }
}
