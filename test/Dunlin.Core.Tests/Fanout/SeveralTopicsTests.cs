using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Events with several topics.</summary>
public sealed class SeveralTopicsTests
{
    [Theory]
    [InlineData("a b")]
    [InlineData("a b *")]
    public async Task A_reader_of_several_topics_of_an_event_receives_it_once(string topics)
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.Journal.AppendAsync(On("a", "1", "b", "b", "a"));
        await node.ConnectAsync(sink, topics, node.Journal.Head with { Offset = 0 });
        await node.Journal.AppendAsync(On("a", "2", "b", "b", "a"));
        node.Fanout.PublishTransient(On("b", "\"typing\"", "a", "b"));
        await node.Journal.AppendAsync(On("c", "3", "b"));
        await node.Fanout.SettledAsync();
        Assert.Equal(["1", "2", "\"typing\"", "3"], sink.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task A_reader_of_a_further_topic_receives_the_event_live_and_resumed()
    {
        using var node = new TestNode(o => o.TailEvents = 4);
        TestSink byName = new(),
            byPattern = new(),
            neither = new(),
            late = new();
        await node.ConnectAsync(byName, "b");
        await node.ConnectAsync(byPattern, "teams/*");
        await node.ConnectAsync(neither, "d teams/1/x");
        for (var i = 0; i < 20; i++)
            await node.Journal.AppendAsync(On("a", $"{i}", "teams/1", "b"));
        await node.ConnectAsync(late, "b", node.Journal.Head with { Offset = 0 });
        await node.Fanout.SettledAsync();
        foreach (var sink in new[] { byName, byPattern, late })
            Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), sink.Frames.Select(f => f.Offset));
        Assert.Empty(neither.Frames);
    }

    [Fact]
    public async Task A_slow_reader_of_several_topics_gets_every_event_once()
    {
        var random = TestSeed.NewRandom(out _);
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents) = (1_024, 64));
        var sink = new TestSink();
        await node.ConnectAsync(
            sink,
            "a b b/*",
            with: r => r with { Selectors = [new BeginsWith("lists/1/"), new BeginsWith("lists/")], MayRead = _ => true }
        );
        var names = new[] { "a", "b", "b/1", "c", "#lists/1/x", "#lists/2/y", "#other" };
        var expected = new List<long>();
        for (var i = 1; i <= 2_000; i++)
        {
            if (random.Next(20) == 0)
                _ = sink.Hold();
            if (random.Next(25) == 0)
                sink.LetGo();
            var chosen = Enumerable.Range(0, random.Next(1, 4)).Select(_ => names[random.Next(names.Length)]).ToArray();
            await node.Journal.AppendAsync(On(chosen[0], $"{i}", chosen[1..]));
            if (chosen.Any(name => name is not ("c" or "#other")))
                expected.Add(i);
        }
        sink.LetGo();
        await sink.WhenCountAsync(expected.Count);
        await node.Fanout.SettledAsync();
        Assert.Equal(expected, sink.Frames.Select(f => f.Offset));
    }

    [Fact]
    public async Task Conflation_keeps_the_last_event_of_each_of_several_topics()
    {
        using var node = new TestNode();
        await node.Journal.AppendAsync(On("a", "1", "b"));
        await node.Journal.AppendAsync(On("a", "2", "b"));
        await node.Journal.AppendAsync(On("a", "3"));
        await node.Journal.AppendAsync(On("a", "4"));
        var sink = new TestSink();
        await node.ConnectAsync(sink, "a b", node.Journal.Head with { Offset = 0 }, r => r with { Conflates = true });
        // The second event is the last one of b.
        Assert.Equal(["2", "4"], sink.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task Subscribers_of_the_process_receive_an_event_once_for_each_topic()
    {
        using var node = new TestNode();
        var received = new List<string>();
        using var a = node.Fanout.EventsOf(TopicName.Parse("a")).Subscribe(e => received.Add("a" + e.Position.Offset));
        using var b = node.Fanout.EventsOf(TopicName.Parse("b")).Subscribe(e => received.Add("b" + e.Position.Offset));
        await node.Journal.AppendAsync(On("a", "1", "b", "b", "a"));
        await node.Journal.AppendAsync(On("c", "2", "b"));
        Assert.Equal(["a1", "b1", "b2"], received);
    }

    [Fact]
    public void The_named_format_names_further_topics_and_encodes_other_data()
    {
        var text = Frame(new EventDraft(TopicName.ForText("é"), "t", "two\nlines"u8.ToArray()) { Format = EventFormat.Text });
        Assert.Equal("id: 00000000-1\nevent: t\ntopic: #é\nformat: text\ndata: two\ndata: lines\n\n", text);
        var binary = new EventDraft(TopicName.Parse("a"), "t", new byte[] { 0, 10, 255 })
        {
            AlsoOn = [TopicName.Parse("b"), TopicName.ForText("c")],
            Format = EventFormat.Binary,
        };
        Assert.Equal("id: 00000000-1\nevent: t\ntopic: a\nalso: b\nalso: #c\nformat: base64\ndata: AAr/\n\n", Frame(binary));
        Assert.Equal("id: 00000000-1\ndata: {\"type\":\"t\",\"data\":\"AAr/\"}\n\n", Frame(binary, WireFormats.Typed));
    }

    private static string Frame(EventDraft draft, IWireFormat? format = null) =>
        System.Text.Encoding.UTF8.GetString(new DunlinEvent(new Position(0, 1), draft, default).FrameFor(format ?? WireFormats.Named).Span);

    private static EventDraft On(string topic, string data, params string[] also) =>
        new(Name(topic), "e", System.Text.Encoding.UTF8.GetBytes(data)) { AlsoOn = [.. also.Select(Name)] };

    private static TopicName Name(string name) => name.StartsWith('#') ? TopicName.ForText(name[1..]) : TopicName.Parse(name);
}
