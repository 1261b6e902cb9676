using Dunlin.Journal;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Mercure.Urls;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Mercure.Tests.Access;

public sealed class ReadCheckTests
{
    private static readonly WebUrl Hub = WebUrl.Parse("https://hub.example.com/.well-known/mercure")!;

    [Fact]
    public void Remembered_topics_decide_as_the_grants_do()
    {
        var random = TestSeed.NewRandom(out var seed);
        var kind = new TextKind(new RecentTopics(Hub));
        string[] topics = [.. Enumerable.Range(0, 600).Select(static i => $"https://example.com/{i % 7}/{i}")];
        var readers = Enumerable
            .Range(0, 20)
            .Select(i =>
            {
                var grants = GrantsOf(TopicMatcher.Create("exact", topics[i], Hub), Pattern($"https://example.com/{i % 9}/:id"));
                return (Grants: grants, Check: new ReadCheck(grants, kind));
            })
            .ToList();
        for (var i = 0; i < 4_000; i++)
        {
            // Few topics often and many seldom: some are remembered, and others lose their place.
            string[] chosen =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 4))
                    .Select(_ => topics[random.Next(random.Next(3) == 0 ? topics.Length : 10)])
                    .Distinct(),
            ];
            var update = Update(chosen);
            var (grants, check) = readers[random.Next(readers.Count)];
            Assert.True(
                grants.MayRead([.. chosen.Select(static topic => new Topic(topic, Hub))]) == check.MayRead(update),
                $"seed {seed}, step {i}: {string.Join(' ', chosen)}"
            );
        }
    }

    [Fact]
    public void A_topic_that_matched_before_is_not_matched_again()
    {
        var matcher = new CountingMatcher();
        var check = new ReadCheck(GrantsOf(matcher), new TextKind(new RecentTopics(Hub)));
        Assert.True(check.MayRead(Update("https://example.com/a")));
        // Another update with another text object.
        Assert.True(check.MayRead(Update(string.Concat("https://example.com", "/a"))));
        Assert.Equal(1, matcher.Calls);
        Assert.True(check.MayRead(Update("https://example.com/b")));
        Assert.Equal(2, matcher.Calls);
    }

    [Fact]
    public void A_check_allocates_nothing()
    {
        var check = new ReadCheck(
            GrantsOf(Pattern("https://example.com/a/:id"), Pattern("https://example.com/b/:id")),
            new TextKind(new RecentTopics(Hub))
        );
        DunlinEvent[] updates = [Update("https://example.com/a/1"), Update("https://example.com/b/1"), Update("https://example.com/c/1")];
        foreach (var update in updates)
            check.MayRead(update);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 300; i++)
            check.MayRead(updates[i % 3]);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static TopicMatcher Pattern(string text) => TopicMatcher.Create(TopicMatcher.UrlPattern, text, Hub);

    private static MercureGrants GrantsOf(params TopicMatcher[] matchers) =>
        new([], [.. matchers.Select(static matcher => new SubscribeGrant(matcher, null))]);

    private static DunlinEvent Update(params string[] topics)
    {
        var names = topics.Select(static topic => TopicName.ForText(topic)).ToArray();
        return new DunlinEvent(
            default,
            new EventDraft(names[0], "t", "1"u8.ToArray()) { AlsoOn = names[1..], IsRestricted = true },
            default
        );
    }

    private sealed record CountingMatcher() : TopicMatcher(UrlPattern, "counting")
    {
        public int Calls { get; private set; }

        public override bool IsMatch(Topic topic)
        {
            Calls++;
            return true;
        }
    }
}
