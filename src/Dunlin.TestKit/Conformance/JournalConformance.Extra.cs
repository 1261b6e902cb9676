using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <content>Text topics, events with several topics, foreign ids, and all else that few events have.</content>
public abstract partial class JournalConformance
{
    private static readonly TopicName Book = TopicName.ForText("https://example.com/books/1?x=é#f");

    /// <summary>Checks that an event is read as it was appended, by any of its topics.</summary>
    [Fact]
    public async Task Extra_values_of_an_event_are_read_as_they_were_appended()
    {
        var draft = new EventDraft(Book, "message", "two\nlines"u8.ToArray())
        {
            AlsoOn = [TopicName.Parse("books/1"), TopicName.ForText("urn:x")],
            IsRestricted = true,
            ForeignId = "urn:uuid:é",
            Format = EventFormat.Text,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["retry"] = "50", ["type"] = "Ünal" },
        };
        await Journal.AppendAsync(Draft("other"), Cancellation);
        await Journal.AppendAsync(draft, Cancellation);
        foreach (var topics in new TopicName[]?[] { null, [Book], [draft.AlsoOn[0]], [draft.AlsoOn[1], draft.AlsoOn[0], Book] })
        {
            var page = await Journal.ReadAsync(new JournalQuery(1, topics), Cancellation);
            var read = Assert.Single(page.Events);
            Assert.Equal(Book, read.Topic);
            Assert.Equal(draft.AlsoOn, read.AlsoOn);
            Assert.Equal("two\nlines"u8.ToArray(), read.Data.ToArray());
            Assert.Equal((true, "urn:uuid:é", EventFormat.Text), (read.IsRestricted, read.ForeignId, read.Format));
            Assert.Equal(draft.Headers.OrderBy(header => header.Key), read.Headers.OrderBy(header => header.Key));
            Assert.Equal((2L, false), (page.Through, page.HasMore));
        }
    }

    /// <summary>Checks that an event of several topics is read once and in order.</summary>
    [Fact]
    public async Task An_event_of_several_read_topics_is_read_once_and_in_order()
    {
        TopicName a = TopicName.Parse("a"),
            b = TopicName.Parse("b");
        for (var i = 0; i < 40; i++)
        {
            var (first, further) = i % 2 == 0 ? (a, b) : (b, a);
            await Journal.AppendAsync(EventDraft.Of(first, "t", i).On(i % 3 == 0 ? [further, further, first] : []), Cancellation);
        }
        foreach (var limit in new[] { 1, 7, 100 })
        {
            var (read, after) = (new List<long>(), 0L);
            for (var hasMore = true; hasMore; )
            {
                var page = await Journal.ReadAsync(new JournalQuery(after, [a, b], limit), Cancellation);
                read.AddRange(page.Events.Select(e => e.Position.Offset));
                (after, hasMore) = (page.Through, page.HasMore);
            }
            Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), read);
        }
        var ofA = await Journal.ReadAsync(new JournalQuery(0, [a], 100), Cancellation);
        Assert.Equal(
            Enumerable.Range(0, 40).Where(i => i % 2 == 0 || i % 3 == 0).Select(i => i + 1L),
            ofA.Events.Select(e => e.Position.Offset)
        );
    }

    /// <summary>Checks that a pattern reads events by their further path topics, and never by text topics.</summary>
    [Fact]
    public async Task Patterns_cover_further_topics_and_no_text_topics()
    {
        await Journal.AppendAsync(Draft("x").On([TopicName.Parse("teams/1")]), Cancellation);
        await Journal.AppendAsync(EventDraft.Of(TopicName.ForText("teams/1"), "t", 1), Cancellation);
        await Journal.AppendAsync(EventDraft.Of(TopicName.ForText("teams/2"), "t", 1).On([TopicName.Parse("y")]), Cancellation);
        Assert.Equal([1], (await ReadByAsync(0, [], ["teams/*"])).Select(e => e.Position.Offset));
        Assert.Equal([1, 3], (await ReadByAsync(0, ["y"], ["teams/**", "*"])).Select(e => e.Position.Offset));
        // More topics than a store looks up one by one.
        await Journal.AppendAsync([.. Enumerable.Range(0, 900).Select(i => Draft($"many/{i}"))], null, Cancellation);
        Assert.Equal(
            [1, 3],
            (await ReadByAsync(0, ["y"], ["many/**", "*"])).Where(e => e.Position.Offset < 4).Select(e => e.Position.Offset)
        );
    }

    /// <summary>Checks that selectors read the text topics that they select, page by page.</summary>
    [Fact]
    public async Task Selectors_read_the_text_topics_that_they_select()
    {
        for (var i = 0; i < 30; i++)
        {
            var draft = i % 3 == 0 ? Draft("path") : EventDraft.Of(TopicName.ForText($"lists/{i % 3}/{i}"), "t", i);
            await Journal.AppendAsync(i % 9 == 0 ? draft.On([TopicName.ForText("lists/2/also")]) : draft, Cancellation);
        }
        var expected = Enumerable.Range(0, 30).Where(i => i % 3 == 2 || i % 9 == 0).Select(i => i + 1L);
        foreach (var limit in new[] { 1, 4, 100 })
        {
            var (read, after) = (new List<long>(), 0L);
            for (var hasMore = true; hasMore; )
            {
                var query = new JournalQuery(after, [], limit) { Selectors = [new BeginsWith("lists/2/")] };
                var page = await Journal.ReadAsync(query, Cancellation);
                read.AddRange(page.Events.Select(e => e.Position.Offset));
                (after, hasMore) = (page.Through, page.HasMore);
            }
            Assert.Equal(expected, read);
        }
    }

    /// <summary>Checks that a foreign id finds its first use that is still stored.</summary>
    [Fact]
    public async Task A_foreign_id_finds_its_first_stored_use()
    {
        await Journal.AppendAsync(WithId("a", "x"), Cancellation);
        await Journal.AppendAsync(WithId("a", "y"), Cancellation);
        var third = await Journal.AppendAsync(WithId("b", "x"), Cancellation);
        Assert.Equal(third with { Offset = 1 }, await Journal.FindAsync("x", Cancellation));
        Assert.Equal(third with { Offset = 2 }, await Journal.FindAsync("y", Cancellation));
        Assert.Null(await Journal.FindAsync("X", Cancellation));
        Retention.Prefixes["a"] = new RetentionRule { MaxCount = 0 };
        await Journal.TrimAsync(Cancellation);
        Assert.Equal(third, await Journal.FindAsync("x", Cancellation));
        Assert.Null(await Journal.FindAsync("y", Cancellation));
    }

    /// <summary>Checks that readers of a further topic learn that an event was deleted.</summary>
    [Fact]
    public async Task Trimming_an_event_is_a_gap_of_all_its_topics()
    {
        await Journal.AppendAsync(Draft("a").On([Book, TopicName.Parse("b")]), Cancellation);
        await Journal.AppendAsync(Draft("c"), Cancellation);
        Retention.Prefixes["a"] = new RetentionRule { MaxCount = 0 };
        Assert.Equal(1, await Journal.TrimAsync(Cancellation));
        foreach (var topic in new[] { Book, TopicName.Parse("b"), TopicName.Parse("a") })
        {
            Assert.True((await Journal.ReadAsync(new JournalQuery(0, [topic]), Cancellation)).Trimmed);
            Assert.False((await Journal.ReadAsync(new JournalQuery(1, [topic]), Cancellation)).Trimmed);
        }
        Assert.False((await Journal.ReadAsync(new JournalQuery(0, [TopicName.Parse("c")]), Cancellation)).Trimmed);
        var selected = new JournalQuery(0, []) { Selectors = [new BeginsWith("https://example.com/")] };
        Assert.True((await Journal.ReadAsync(selected, Cancellation)).Trimmed);
        Assert.False((await Journal.ReadAsync(selected with { Selectors = [new BeginsWith("urn:/")] }, Cancellation)).Trimmed);
    }

    /// <summary>Checks that an idempotency key tells requests apart that differ in extra values only.</summary>
    [Fact]
    public async Task An_idempotency_key_covers_the_extra_values()
    {
        var key = new IdempotencyKey("ann", "k");
        var first = await Journal.AppendAsync([WithId("a", "x")], key, Cancellation);
        Assert.Equal(first, await Journal.AppendAsync([WithId("a", "x")], key, Cancellation));
        var error = await Assert.ThrowsAsync<DunlinException>(async () => await Journal.AppendAsync([WithId("a", "y")], key, Cancellation));
        Assert.Equal(ErrorCode.IdempotencyKeyReused, error.Code);
    }

    /// <summary>Checks that a rolled-back unit of work leaves no foreign id and no further topic.</summary>
    [Fact]
    public async Task A_rolled_back_event_leaves_no_id_and_no_further_topic()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await Store.WriteAsync<int>(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(WithId("a", "x").On([Book]), ct);
                    throw new InvalidOperationException("Roll back.");
                },
                Cancellation
            )
        );
        await Journal.AppendAsync(Draft("b"), Cancellation);
        Assert.Null(await Journal.FindAsync("x", Cancellation));
        Assert.Empty((await Journal.ReadAsync(new JournalQuery(0, [Book]), Cancellation)).Events);
        await Journal.AppendAsync(Draft("c").On([Book]), Cancellation);
        Assert.Equal([2], (await Journal.ReadAsync(new JournalQuery(0, [Book]), Cancellation)).Events.Select(e => e.Position.Offset));
    }

    private static EventDraft WithId(string topic, string id) => new(TopicName.Parse(topic), "t", "1"u8.ToArray()) { ForeignId = id };

    /// <summary>Selects text topics by their beginning.</summary>
    private sealed class BeginsWith(string prefix) : TopicSelector(Texts.Instance, prefix)
    {
        public override string Prefix => Text;

        public override bool Selects(TopicView topic) => topic.Key.StartsWith(Text, StringComparison.Ordinal);
    }

    private sealed class Texts : SelectorKind
    {
        public static readonly Texts Instance = new();

        public override TopicView? View(TopicName topic) => topic.Text is { } text ? new TopicView(topic, text) : null;
    }
}

/// <summary>Shortens drafts of tests.</summary>
internal static class DraftExtensions
{
    public static EventDraft On(this EventDraft draft, IReadOnlyList<TopicName> topics) =>
        new(draft.Topic, draft.Type, draft.Data, draft.Origin) { AlsoOn = topics, ForeignId = draft.ForeignId };
}
