using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Streams with selectors of text topics.</summary>
public sealed class SelectorTests
{
    [Fact]
    public async Task A_selector_stream_receives_selected_topics_live_and_resumed()
    {
        using var node = new TestNode(o => o.TailEvents = 8);
        TestSink live = new(),
            late = new();
        await node.ConnectAsync(live, "path", with: Selecting("lists/1/"));
        var topics = new[] { "lists/1/a", "lists/10/a", "lists/1", "Lists/1/a", "lists/1/b/c", "x" };
        for (var i = 0; i < 30; i++)
            await PublishAsync(node, topics[i % 6]);
        await node.PublishAsync("path", 1);
        await node.PublishAsync("lists/1/path", 1);
        await node.ConnectAsync(late, "path", node.Journal.Head with { Offset = 0 }, Selecting("lists/1/"));
        await node.Fanout.SettledAsync();
        var expected = Enumerable.Range(0, 30).Where(i => i % 6 is 0 or 4).Select(i => i + 1L).Append(31);
        Assert.Equal(expected, live.Frames.Select(f => f.Offset));
        Assert.Equal(expected, late.Frames.Select(f => f.Offset));
    }

    [Fact]
    public async Task An_event_matched_by_a_name_and_two_selectors_arrives_once()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var with = Selecting("lists/", "lists/1/");
        await node.ConnectAsync(sink, "p", with: r => with(r) with { Topics = [Name("lists/1/a"), TopicName.Parse("p")] });
        var draft = Draft("lists/1/a", TopicName.Parse("p"));
        await node.Journal.AppendAsync(draft);
        node.Fanout.PublishTransient(draft);
        await node.Fanout.SettledAsync();
        Assert.Equal([1, 0], sink.Frames.Select(f => f.Offset));
    }

    [Fact]
    public async Task A_revoked_topic_leaves_the_selectors()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "path other", with: Selecting("lists/1/"));
        await node.Fanout.ReauthorizeAsync("ann", (_, topic) => new(topic.Value == "other"));
        await node.PublishAsync("path", 1);
        await PublishAsync(node, "lists/1/a");
        await node.PublishAsync("other", 1);
        await node.Fanout.SettledAsync();
        Assert.Equal([0, 2, 3], sink.Frames.Select(f => f.Offset));
        Assert.Equal("dunlin.revoked", sink.Frames[0].Name);
        await node.Fanout.ReauthorizeAsync("ann", (_, _) => new(false));
        await PublishAsync(node, "lists/1/b");
        await node.PublishAsync("other", 1);
        await node.Fanout.SettledAsync();
        Assert.Equal([0, 2, 3, 0, 4], sink.Frames.Select(f => f.Offset));
        Assert.False(connection.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_revoked_topic_leaves_the_selectors_of_a_reader_that_is_behind()
    {
        using var node = new TestNode(o => o.MaxPendingBytes = 64);
        var sink = new TestSink();
        await node.ConnectAsync(sink, "path", with: Selecting("lists/1/"));
        await node.StallAsync(sink, "path", 1);
        for (var i = 0; i < 20; i++)
            await PublishAsync(node, i % 2 == 0 ? "lists/1/a" : "lists/2/a");
        await node.Fanout.SettledAsync();
        await node.Fanout.ReauthorizeAsync("ann", (_, _) => new(false));
        await node.PublishAsync("path", 2);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        await PublishAsync(node, "lists/1/end");
        var frames = await sink.WhenAsync(all => all.Any(frame => frame.Offset == 23));
        var expected = Enumerable.Range(0, 20).Where(i => i % 2 == 0).Select(i => i + 2L).Prepend(1).Append(23);
        Assert.Equal(expected, frames.Where(f => f.Offset != 0).Select(f => f.Offset));
    }

    [Fact]
    public async Task Changed_policies_decide_text_topics_of_connections_without_own_checks()
    {
        using var node = new TestNode();
        TestSink checks = new(),
            asks = new();
        var own = await node.ConnectAsync(checks, "p", with: r => r with { Topics = [Name("x")], MayRead = _ => false });
        var asked = await node.ConnectAsync(asks, "p", with: r => r with { Topics = [Name("x")] });
        await node.Fanout.ReauthorizeAsync("ann", (_, _) => new(false));
        Assert.Equal(ConnectionEnd.Revoked, await asked.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        await PublishAsync(node, "x");
        Assert.Equal(1, (await checks.WhenCountAsync(1))[0].Offset);
        Assert.False(own.Completion.IsCompleted);
    }

    [Fact]
    public async Task Streams_with_selectors_read_the_journal_again_after_a_gap()
    {
        using var writer = new TestNode();
        using var node = new TestNode(o => o.Shards = 1, decorate: _ => writer.Store);
        var sink = new TestSink();
        var with = Selecting("lists/1/");
        var connection = await node.ConnectAsync(sink, "path", with: r => with(r) with { Topics = [] });
        await PublishAsync(writer, "lists/1/a");
        await PublishAsync(writer, "lists/2/a");
        await PublishAsync(writer, "lists/1/b");
        Assert.Empty(sink.Frames);
        connection.Shard.SkipGap(3);
        Assert.Equal([1, 3], (await sink.WhenCountAsync(2)).Select(f => f.Offset));
    }

    [Fact]
    public async Task An_event_tests_only_selectors_whose_prefix_begins_its_topic()
    {
        var index = new SelectorIndex();
        using var node = new TestNode();
        var connection = node.Open(new TestSink(), "p");
        connection.Seats = new int[1];
        var selectors = Enumerable.Range(0, 10_000).Select(i => new BeginsWith($"https://example.com/{i}/items/")).ToList();
        foreach (var selector in selectors)
            index.GetOrAdd(selector).Add(connection, 0);
        var entry = new DunlinEvent(new Position(0, 1), Draft("https://example.com/77/items/9"), default);
        var found = Assert.Single(index.Selecting(entry));
        Assert.Equal(1, selectors.Sum(selector => selector.Tests));
        Assert.Same(index.GetOrAdd(selectors[77]), found);
        foreach (var selector in selectors)
            index.RemoveAt(selector, 0);
        Assert.Equal(0, index.Count);
        Assert.Empty(index.Selecting(entry));
        Assert.Equal(1, selectors.Sum(selector => selector.Tests));
        await node.Fanout.SettledAsync();
    }

    private static Func<ConnectionRequest, ConnectionRequest> Selecting(params string[] beginnings) =>
        r => r with { Selectors = [.. beginnings.Select(text => new BeginsWith(text))] };

    private static TopicName Name(string text) => TopicName.ForText(text);

    private static EventDraft Draft(string text, params TopicName[] also) => new(Name(text), "e", "1"u8.ToArray()) { AlsoOn = also };

    private static async Task PublishAsync(TestNode node, string text) => await node.Journal.AppendAsync(Draft(text));
}
