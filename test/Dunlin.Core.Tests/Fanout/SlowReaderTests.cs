using System.Diagnostics.Metrics;
using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

public sealed class SlowReaderTests
{
    [Fact]
    public async Task G5_A_stalled_reader_has_a_bounded_queue_and_loses_nothing()
    {
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents, o.Shards) = (2_048, 64, 1));
        TestSink slow = new(),
            fast = new();
        var connection = await node.ConnectAsync(slow, "t");
        await node.ConnectAsync(fast, "t");
        await node.StallAsync(slow, "t", 0);
        for (var i = 1; i < 500; i++)
            await node.PublishAsync("t", i);
        // The other reader is not delayed, and only unaccepted events wait for the slow one.
        await node.Fanout.SettledAsync();
        Assert.Equal(500, (await fast.WhenCountAsync(500)).Count);
        Assert.True(slow.UnflushedBytes < 2_048, $"{slow.UnflushedBytes} bytes were pushed at a reader that reads nothing.");
        slow.LetGo();
        var frames = await slow.WhenCountAsync(500);
        Assert.Equal(
            Enumerable.Range(0, 500).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            frames.Select(f => f.Data)
        );
        Assert.Equal(0, connection.PendingBytes);
    }

    [Fact]
    public async Task G1_A_small_event_never_overtakes_a_refused_one_of_its_batch()
    {
        using var node = new TestNode(o => (o.MaxPendingBytes, o.Shards) = (1_024, 1));
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", 0);
        EventDraft[] batch = [TestNode.Draft("t", new string('x', 2_000)), TestNode.Draft("t", "small")];
        await node.Journal.AppendAsync(batch, null, TestContext.Current.CancellationToken);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        Assert.Equal([1, 2, 3], (await sink.WhenAsync(frames => frames.Any(frame => frame.Offset == 3))).Select(f => f.Offset));
    }

    [Fact]
    public async Task G5_A_repeatedly_stalled_reader_gets_every_event_once_in_order()
    {
        var random = TestKit.TestSeed.NewRandom(out _);
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents) = (1_024, 64));
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t");
        const int total = 2_000;
        for (var i = 0; i < total; i++)
        {
            if (random.Next(20) == 0)
                _ = sink.Hold();
            if (random.Next(25) == 0)
                sink.LetGo();
            await node.PublishAsync("t", i);
        }
        sink.LetGo();
        var frames = await sink.WhenCountAsync(total);
        Assert.Equal(Enumerable.Range(1, total).Select(i => (long)i), frames.Select(f => f.Offset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task G5_A_slow_reader_gets_a_reset_when_its_backlog_was_trimmed(bool conflates)
    {
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents) = (1_024, 64));
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", with: request => request with { Conflates = conflates });
        await node.StallAsync(sink, "t", -1);
        for (var i = 0; i < 300; i++)
            await node.PublishAsync("t", i);
        await node.Fanout.SettledAsync();
        node.Retention.Prefixes["t"] = new RetentionRule { MaxCount = 5 };
        await node.Journal.TrimAsync(default);
        sink.LetGo();
        var frames = await sink.WhenAsync(f => f.Any(x => x.Name == "dunlin.reset"));
        Assert.Equal(Enumerable.Range(1, frames.Count - 1).Select(i => (long)i), frames.Take(frames.Count - 1).Select(f => f.Offset));
    }

    [Fact]
    public async Task A_peer_that_accepts_nothing_is_cut_after_the_write_timeout()
    {
        using var node = new TestNode(o => o.WriteTimeout = TimeSpan.FromSeconds(30));
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", 1);
        node.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(sink.Aborted);
        node.Time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(ConnectionEnd.Gone, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(sink.Aborted);
        Assert.Equal(0, node.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task A_connection_leaves_the_registry_completes_and_is_then_announced()
    {
        using var node = new TestNode();
        var connection = await node.ConnectAsync(new TestSink(), "t");
        var steps = new List<(string Step, bool IsCompleted, int Connections)>();
        using var listener = new MeterListener();
        // The counter changes right after the registry.
        listener.SetMeasurementEventCallback<int>((_, _, _, _) => Add("counter"));
        listener.EnableMeasurementEvents(node.Fanout.Instruments.Connections);
        using var subscription = node.Fanout.Closed.Subscribe(_ => Add("signal"));
        connection.Close(ConnectionEnd.Gone);
        Assert.Equal(ConnectionEnd.Gone, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal([("counter", false, 0), ("signal", true, 0)], steps);

        void Add(string step) => steps.Add((step, connection.Completion.IsCompleted, node.Fanout.ConnectionCount));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(300)]
    [InlineData(900)]
    public async Task A_reader_with_too_many_queued_control_frames_ends_and_can_resume(int bytes)
    {
        using var node = new TestNode(o => o.MaxPendingBytes = 1_024);
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", 0);
        var frame = System.Text.Encoding.ASCII.GetBytes(":" + new string('x', bytes - 3) + "\n\n");
        for (var i = 0; i < 10_000; i++)
            connection.Send(frame);
        sink.LetGo();
        Assert.Equal(ConnectionEnd.Failed, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.InRange(sink.Text.Split(":x", StringSplitOptions.None).Length - 1, 1, 1_024 / bytes);
        Assert.Contains(sink.Frames, f => f.Name == "dunlin.goodbye" && f.Data.Contains("failed", StringComparison.Ordinal));
        Assert.Equal(0, node.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task A_control_frame_over_the_queue_limit_is_sent_when_the_queue_is_empty()
    {
        using var node = new TestNode(o => o.MaxPendingBytes = 1_024);
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", 0);
        connection.Send(System.Text.Encoding.ASCII.GetBytes("event: large\ndata: " + new string('x', 5_000) + "\n\n"));
        sink.LetGo();
        await sink.WhenAsync(f => f.Any(x => x.Name == "large"));
        await node.PublishAsync("t", 1);
        await sink.WhenAsync(f => f.Any(x => x.Data == "1"));
        Assert.False(connection.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_transient_event_is_not_queued_for_a_slow_reader()
    {
        using var node = new TestNode(o => o.MaxPendingBytes = 1_024);
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", 0);
        for (var i = 0; i < 200; i++)
            node.Fanout.PublishTransient(TestNode.Draft("t", "typing"));
        await node.PublishAsync("t", 1);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        var frames = await sink.WhenAsync(f => f.Any(x => x.Data == "1"));
        Assert.InRange(frames.Count(f => f.Data == "\"typing\""), 0, 60);
    }
}
