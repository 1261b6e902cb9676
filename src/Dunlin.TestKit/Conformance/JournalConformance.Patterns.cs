using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <content>Reading by patterns, with few and with many matching topics.</content>
public abstract partial class JournalConformance
{
    /// <summary>Checks that a pattern reads all topics that it matches, and no other.</summary>
    [Theory]
    [InlineData("teams/7/**", "teams/7/8/alerts", "teams/7/a", "teams/7/b/c", "teams/7/alerts")]
    [InlineData("teams/*", "teams/7", "teams/70", "teams/-", "teams/~", "teams/%2F")]
    [InlineData("teams/*/alerts", "teams/7/alerts", "teams/70/alerts")]
    [InlineData("*/7", "teams/7", "Teams/7")]
    [InlineData("*", "other", "teams", "teams.", "teams0", "~~~")]
    [InlineData("teams/7", "teams/7")]
    [InlineData("teams/70/*", "teams/70/alerts")]
    [InlineData("teams./*", "teams./x+y|z$")]
    [InlineData("nobody/**")]
    public async Task A_pattern_reads_the_topics_that_it_covers_and_no_other(string pattern, params string[] covered)
    {
        string[] names =
        [
            "other",
            "teams",
            "teams/7",
            "teams/70",
            "teams/-",
            "teams/~",
            "teams/%2F",
            "Teams/7",
            "teams.",
            "teams0",
            "teams./x+y|z$",
            "teams0/7/a",
            "teams/7/a",
            "teams/7/b/c",
            "teams/7/alerts",
            "teams/70/alerts",
            "teams/7/8/alerts",
            "~~~",
        ];
        await Journal.AppendAsync([.. names.Select(name => Draft(name))], null, Cancellation);
        Assert.Equal(
            covered.Order(StringComparer.Ordinal),
            (await ReadByAsync(0, [], [pattern])).Select(e => e.Topic.Value).Order(StringComparer.Ordinal)
        );
    }

    /// <summary>Checks that an event that a name and several patterns match is read once.</summary>
    [Fact]
    public async Task An_event_that_a_name_and_two_patterns_mean_is_read_once()
    {
        await Journal.AppendAsync([Draft("a/1", 1), Draft("b", 2), Draft("a/2", 3), Draft("c", 4)], null, Cancellation);
        Assert.Equal([1, 2, 3], (await ReadByAsync(0, ["a/1", "b"], ["a/*", "a/**", "a/*"])).Select(e => e.Position.Offset));
    }

    /// <summary>Checks that a topic that is created between two pages of a pattern is in the next page.</summary>
    [Fact]
    public async Task A_topic_that_begins_between_two_pages_of_a_pattern_is_in_the_next()
    {
        await Journal.AppendAsync([Draft("a/1"), Draft("a/1"), Draft("b")], null, Cancellation);
        var first = await Journal.ReadAsync(new JournalQuery(0, [], 1) { Patterns = [TopicPattern.Parse("a/*")] }, Cancellation);
        Assert.Equal((1, 1L, true), (first.Events.Count, first.Through, first.HasMore));
        await AppendAsync("a/new");
        Assert.Equal(["a/1", "a/new"], (await ReadByAsync(first.Through, [], ["a/*"])).Select(e => e.Topic.Value));
    }

    /// <summary>Checks that a page of a pattern ends with the event that reaches its byte limit, and has at least one event.</summary>
    [Fact]
    public async Task A_page_of_a_pattern_ends_with_the_event_that_reaches_the_byte_limit()
    {
        await AppendTopicsAsync("many/{0}", 1_000);
        for (var i = 0; i < 5; i++)
            await Journal.AppendAsync(
                [
                    new EventDraft(TopicName.Parse($"few/{i}"), "t", new byte[100]),
                    new EventDraft(TopicName.Parse($"many/{i}"), "t", new byte[100]),
                ],
                null,
                Cancellation
            );
        foreach (var pattern in new[] { "few/*", "many/*" })
        {
            foreach (var (bytes, count) in new[] { (1, 1), (100, 1), (101, 2), (200, 2), (401, 5), (10_000, 5) })
            {
                var page = await Journal.ReadAsync(
                    new JournalQuery(1_000, [], MaxBytes: bytes) { Patterns = [TopicPattern.Parse(pattern)] },
                    Cancellation
                );
                Assert.Equal((count, count < 5), (page.Events.Count, page.HasMore));
            }
        }
    }

    /// <summary>Checks that a pattern with ten thousand topics reads each event once, in order.</summary>
    [Fact]
    public async Task Ten_thousand_topics_of_a_pattern_are_read_in_order_each_event_once()
    {
        await AppendTopicsAsync("teams/{0}/chat", 5_000);
        await AppendTopicsAsync("teams/{0}/alerts", 10_000);
        await AppendAsync("teams/1/rare");
        await AppendTopicsAsync("teams/{0}/alerts", 2_000);
        Assert.Equal(
            Enumerable.Range(1, 5_000).Select(i => (long)i),
            (await ReadByAsync(0, [], ["teams/*/chat"])).Select(e => e.Position.Offset)
        );
        Assert.Equal(
            Enumerable.Range(5_001, 12_001).Where(i => i != 15_001).Select(i => (long)i),
            (await ReadByAsync(0, [], ["teams/*/alerts"])).Select(e => e.Position.Offset)
        );
        // A rare event is found after any number of other events, and the end of the journal differs from a page without events.
        Assert.Equal(15_001, Assert.Single(await ReadByAsync(0, [], ["teams/*/rare"])).Position.Offset);
        Assert.Equal([1, 15_001], (await ReadByAsync(0, ["teams/0/chat"], ["teams/*/rare"])).Select(e => e.Position.Offset));
        Assert.Empty(await ReadByAsync(15_001, [], ["teams/*/rare"]));
    }

    /// <summary>Checks that successive pages of patterns have no gap and no duplicate.</summary>
    [Fact]
    public async Task Pages_of_patterns_follow_each_other_without_gap_or_repetition()
    {
        var random = TestSeed.NewRandom(out _);
        var all = new List<(long Offset, string Topic)>();
        // More topics under "many" than are read one by one, and fewer elsewhere.
        for (var i = 0; i < 200; i++)
        {
            var topic = random.Next(4) switch
            {
                0 => $"many/{random.Next(50)}/{random.Next(12)}",
                1 => $"many/{random.Next(3)}/0",
                2 => $"few/{random.Next(5)}",
                _ => $"few/{random.Next(3)}/x",
            };
            var drafts = Enumerable
                .Range(0, random.Next(1, 12))
                .Select(n => Draft(random.Next(3) == 0 ? $"many/{random.Next(50)}/{n}" : topic, n))
                .ToList();
            var positions = await Journal.AppendAsync(drafts, null, Cancellation);
            all.AddRange(positions.Zip(drafts, (position, draft) => (position.Offset, draft.Topic.Value)));
        }
        string[] patterns = ["many/**", "many/*/0", "many/1/*", "few/*", "few/**", "few/*/x", "**", "*/1/**", "none/*", "few/2"];
        for (var round = 0; round < 40; round++)
        {
            var wanted = patterns.OrderBy(_ => random.Next()).Take(random.Next(1, 4)).Select(TopicPattern.Parse).ToList();
            var names = all.Select(e => e.Topic).Distinct().OrderBy(_ => random.Next()).Take(random.Next(0, 4)).ToList();
            var start = random.Next(0, all.Count);
            var expected = all.Where(e => e.Offset > start && (names.Contains(e.Topic) || wanted.Any(pattern => pattern.Covers(e.Topic))))
                .ToList();
            var read = new List<(long, string)>();
            for (long after = start; ; )
            {
                var page = await Journal.ReadAsync(
                    new JournalQuery(after, [.. names.Select(TopicName.Parse)], random.Next(1, 60)) { Patterns = wanted },
                    Cancellation
                );
                read.AddRange(page.Events.Select(e => (e.Position.Offset, e.Topic.Value)));
                Assert.True(page.Through >= (page.Events.Count > 0 ? page.Events[^1].Position.Offset : after));
                if (!page.HasMore)
                {
                    Assert.Equal(all.Count, page.Through);
                    break;
                }
                Assert.True(page.Through > after, "A page that says there is more must lead on.");
                after = page.Through;
            }
            Assert.Equal(expected, read);
        }
    }

    private async Task AppendTopicsAsync(string format, int count)
    {
        for (var i = 0; i < count; i += JournalLimits.MaxEventsPerAppend)
        {
            await Journal.AppendAsync(
                [
                    .. Enumerable
                        .Range(i, JournalLimits.MaxEventsPerAppend)
                        .Select(n => Draft(string.Format(System.Globalization.CultureInfo.InvariantCulture, format, n))),
                ],
                null,
                Cancellation
            );
        }
    }

    private async Task<List<DunlinEvent>> ReadByAsync(long after, string[] topics, string[] patterns)
    {
        var events = new List<DunlinEvent>();
        while (true)
        {
            var query = new JournalQuery(after, [.. topics.Select(TopicName.Parse)], 500)
            {
                Patterns = [.. patterns.Select(TopicPattern.Parse)],
            };
            var page = await Journal.ReadAsync(query, Cancellation);
            events.AddRange(page.Events);
            after = page.Through;
            if (!page.HasMore)
                return events;
        }
    }
}
