using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Events that a connection receives only after its own check.</summary>
public sealed class RestrictedEventTests
{
    [Fact]
    public async Task A_restricted_event_reaches_only_readers_whose_check_allows_it()
    {
        using var node = new TestNode();
        TestSink none = new(),
            never = new(),
            even = new();
        await node.ConnectAsync(none, "t *");
        await node.ConnectAsync(never, "t", with: r => r with { MayRead = _ => false });
        await node.ConnectAsync(even, "t", with: Even);
        await PublishAsync(node, 6);
        await node.PublishAsync("t", 7);
        await node.Fanout.SettledAsync();
        Assert.Equal(["7"], none.Frames.Select(f => f.Data));
        Assert.Equal(["7"], never.Frames.Select(f => f.Data));
        Assert.Equal(["2", "4", "6", "7"], even.Frames.Select(f => f.Data));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(4)]
    public async Task Catch_up_checks_restricted_events_from_tail_and_journal(int tail)
    {
        using var node = new TestNode(o => o.TailEvents = tail);
        await PublishAsync(node, 20);
        await node.PublishAsync("t", 21);
        TestSink none = new(),
            even = new();
        await node.ConnectAsync(none, "t", node.Journal.Head with { Offset = 0 });
        await node.ConnectAsync(even, "t", node.Journal.Head with { Offset = 0 }, Even);
        await node.Fanout.SettledAsync();
        Assert.Equal(["21"], none.Frames.Select(f => f.Data));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"{i * 2}").Append("21"), even.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task A_reader_that_falls_behind_receives_no_event_that_its_check_refuses()
    {
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents) = (128, 16));
        TestSink none = new(),
            even = new();
        await node.ConnectAsync(none, "t");
        await node.ConnectAsync(even, "t", with: Even);
        await node.StallAsync(none, "t", 0);
        _ = even.Hold();
        await PublishAsync(node, 100);
        await node.PublishAsync("t", 101);
        await node.Fanout.SettledAsync();
        none.LetGo();
        even.LetGo();
        await node.PublishAsync("t", 102);
        var received = await even.WhenAsync(frames => frames.Any(frame => frame.Data == "102"));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"{i * 2}").Prepend("0").Concat(["101", "102"]), received.Select(f => f.Data));
        received = await none.WhenAsync(frames => frames.Any(frame => frame.Data == "102"));
        Assert.Equal(["0", "101", "102"], received.Select(f => f.Data));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_between_catch_up_and_live_delivery_are_matched_and_checked(bool conflates)
    {
        var sink = new TestSink();
        var blocked = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var node = new TestNode(o => o.TailEvents = 8, inner => new WatchedJournal(inner, () => blocked.TrySetResult(sink.Hold())));
        for (var i = 0; i < 20; i++)
            await node.PublishAsync("b", i);
        var connection = node.Open(sink, "b", r => Even(r) with { Selectors = [new BeginsWith("s/")], Conflates = conflates });
        var starting = node.Fanout.StartAsync(connection, default, node.Journal.Head with { Offset = 0 });
        await await blocked.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var further = new EventDraft(TopicName.Parse("a"), "f", "20"u8.ToArray()) { AlsoOn = [TopicName.Parse("b")] };
        await node.Journal.AppendAsync(further);
        await node.Journal.AppendAsync(new EventDraft(TopicName.ForText("s/1"), "e", "30"u8.ToArray()));
        await node.Journal.AppendAsync(Restricted(42, "b"));
        await node.Journal.AppendAsync(Restricted(43, "b"));
        await node.PublishAsync("c", 50);
        await node.Journal.AppendAsync(new EventDraft(TopicName.Parse("b"), "g", "55"u8.ToArray()));
        await node.Fanout.SettledAsync();
        sink.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        await node.PublishAsync("b", 60);
        var frames = await sink.WhenAsync(all => all.Any(frame => frame.Data == "60"));
        Assert.Equal(["20", "30", "42", "55", "60"], frames.Select(f => f.Data).Where(data => data.Length == 2 && data[0] >= '2'));
    }

    [Fact]
    public async Task Conflation_lets_no_refused_event_supersede_a_readable_one()
    {
        using var node = new TestNode();
        await PublishAsync(node, 5);
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", node.Journal.Head with { Offset = 0 }, r => Even(r) with { Conflates = true });
        Assert.Equal(["4"], sink.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task Restrictions_hold_on_other_nodes_for_committed_and_transient_events()
    {
        var backplane = new InProcessBackplane();
        using var writer = new TestNode(backplane: backplane);
        using var other = new TestNode(decorate: _ => writer.Store, backplane: backplane);
        TestSink none = new(),
            even = new();
        await other.ConnectAsync(none, "t");
        await other.ConnectAsync(even, "t", with: Even);
        await PublishAsync(writer, 4);
        writer.Fanout.PublishTransient(Restricted(8));
        writer.Fanout.PublishTransient(Restricted(9));
        writer.Fanout.PublishTransient(TestNode.Draft("t", 10));
        await even.WhenAsync(frames => frames.Any(frame => frame.Data == "10"));
        await none.WhenAsync(frames => frames.Any(frame => frame.Data == "10"));
        Assert.Equal(["2", "4", "8", "10"], even.Frames.Select(f => f.Data));
        Assert.Equal(["10"], none.Frames.Select(f => f.Data));
    }

    private static ConnectionRequest Even(ConnectionRequest request) =>
        request with
        {
            MayRead = static entry => (entry.Data.Span[^1] - '0') % 2 == 0,
        };

    private static EventDraft Restricted(int value, string topic = "t") =>
        new(TopicName.Parse(topic), "e", System.Text.Encoding.ASCII.GetBytes($"{value}")) { IsRestricted = true };

    private static async Task PublishAsync(TestNode node, int count)
    {
        for (var i = 1; i <= count; i++)
            await node.Journal.AppendAsync(Restricted(i));
    }
}
