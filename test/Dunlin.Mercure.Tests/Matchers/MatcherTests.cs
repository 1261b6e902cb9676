using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Urls;
using Dunlin.Topics;

namespace Dunlin.Mercure.Tests.Matchers;

public sealed class MatcherTests
{
    private static readonly WebUrl Hub = WebUrl.Parse("https://hub.example.com/.well-known/mercure")!;

    [Theory]
    [InlineData("plain", true)]
    [InlineData("https://example.com/é😀", true)]
    [InlineData("", true)]
    [InlineData("a\tb", false)]
    [InlineData("a\0", false)]
    [InlineData("a\x7f", false)]
    [InlineData("a\u0085", false)]
    [InlineData("a\u200b", false)]
    [InlineData("\u202eevil", false)]
    [InlineData("a\ufeff", false)]
    [InlineData("\U000E0001x", false)]
    public void Text_without_control_and_format_characters_is_valid(string text, bool isValid) =>
        Assert.Equal(isValid, TopicText.IsValid(text));

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        Assert.False(TopicText.IsValid("half\ud83d"));
        Assert.False(TopicText.IsValid("\ude00half"));
    }

    [Theory]
    [InlineData("https://example.com/{id}", "https://example.com/1", true)]
    [InlineData("https://example.com/{id}", "https://example.com/1/2", false)]
    [InlineData("https://example.com/{id}", "https://example.com/{id}", true)]
    [InlineData("https://example.com/{+path}/end", "https://example.com/a/b/end", true)]
    [InlineData("https://example.com{/a,b}", "https://example.com/1/2", true)]
    [InlineData("https://example.com{/a,b}", "https://example.com", true)]
    [InlineData("https://example.com{/a,b}", "https://example.com/1/2/3", false)]
    [InlineData("https://example.com{/a*}", "https://example.com/1/2/3", true)]
    [InlineData("https://example.com/x{?q,r}", "https://example.com/x?q=1&r=2", true)]
    [InlineData("https://example.com/x{?q}", "https://example.com/x", true)]
    [InlineData("https://example.com/x{#f}", "https://example.com/x#top", true)]
    [InlineData("https://example.com/x{.ext}", "https://example.com/x.json", true)]
    [InlineData("https://example.com/{id}", "https://example.com/a%20b", true)]
    [InlineData("https://example.com/{id}", "https://example.com/a b", false)]
    [InlineData("https://example.com/{i d}", "https://example.com/{i d}", true)]
    [InlineData("https://example.com/{i d}", "https://example.com/1", false)]
    [InlineData("https://example.com/}", "https://example.com/}", true)]
    [InlineData("a}/{id}", "a}/1", false)]
    [InlineData("{a.b:3}-{+c*}", "x%2F-y=1", true)]
    [InlineData("{a.}", "x", false)]
    [InlineData("{a:0}", "x", false)]
    [InlineData("{a}", "x%2", false)]
    [InlineData("{", "{", true)]
    [InlineData("*", "anything", true)]
    [InlineData("plain", "plain", true)]
    [InlineData("plain", "Plain", false)]
    public void Uri_template_matches_its_expansions_and_its_own_text(string template, string topic, bool isMatch) =>
        Assert.Equal(isMatch, TopicMatcher.Create("uritemplate", template, Hub).IsMatch(new Topic(topic, Hub)));

    [Theory]
    [InlineData("exact", "a", "a", true)]
    [InlineData("exact", "A", "a", false)]
    [InlineData("exact", "/x", "https://hub.example.com/x", false)]
    [InlineData("exact", "*", "not a url", true)]
    [InlineData("urlpattern", "*", "not a url", true)]
    [InlineData("urlpattern", "/books/:id", "/books/1", true)]
    [InlineData("urlpattern", "/books/:id", "https://hub.example.com/books/1", true)]
    [InlineData("urlpattern", "https://EXAMPLE.com/Books/:id", "https://example.COM/Books/1", true)]
    [InlineData("urlpattern", "https://example.com/Books/:id", "https://example.com/books/1", false)]
    [InlineData("urlpattern", "https://*/x", "https://exa mple/x", false)]
    [InlineData("urlpattern", "urn:*", "urn:uuid:1", true)]
    public void Matcher_selects_a_topic_by_its_type(string type, string matcher, string topic, bool isMatch) =>
        Assert.Equal(isMatch, TopicMatcher.Create(type, matcher, Hub).IsMatch(new Topic(topic, Hub)));

    [Theory]
    [InlineData("regexp", "x")]
    [InlineData("EXACT", "x")]
    [InlineData("exact", "a\nb")]
    [InlineData("urlpattern", "https://example.com/(")]
    [InlineData("urlpattern", "https://example.com/(?=x)")]
    [InlineData("urlpattern", "https://example.com/(a\\1)")]
    [InlineData("urlpattern", "https://example.com/((?<n>a))")]
    [InlineData("urlpattern", "https://example.com/(a{1000}{1000})")]
    public void Faulty_matchers_are_refused(string type, string matcher) =>
        Assert.Throws<FormatException>(() => TopicMatcher.Create(type, matcher, Hub));

    [Fact]
    public void Templates_over_the_limit_of_a_program_are_refused()
    {
        var template = string.Concat(Enumerable.Repeat("{a,b,c}", 250));
        var fault = Assert.Throws<FormatException>(() => TopicMatcher.Create("uritemplate", template, Hub));
        Assert.Contains("1024 words", fault.Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() =>
            TopicMatcher.Create("uritemplate", "{a" + string.Concat(Enumerable.Repeat(",b", 900)) + "}", Hub)
        );
    }

    [Theory]
    [InlineData("https://example.com/((?:a+)+)b")]
    [InlineData("https://example.com/((?:a|a)*)b")]
    [InlineData("https://example.com/:a*:b*:c*:d*x")]
    [InlineData("https://example.com/{:a/}*{:b/}*{:c/}*x")]
    public void Patterns_that_backtracking_cannot_match_end(string pattern)
    {
        var matcher = TopicMatcher.Create("urlpattern", pattern, Hub);
        var topic = new Topic("https://example.com/" + new string('a', 50_000) + "/!", Hub);
        Assert.False(matcher.IsMatch(topic));
    }

    [Theory]
    [InlineData("https://a.example/fi{x/../..}?")]
    [InlineData("fi/../../*0")]
    [InlineData("/b{a/../..}?")]
    public void Dot_segments_in_literal_text_do_not_fail(string pattern)
    {
        var matcher = TopicMatcher.Create("urlpattern", pattern, Hub);
        Assert.False(matcher.IsMatch(new Topic("https://other.example/", Hub)));
    }

    [Theory]
    [InlineData("/.well-known/mercure", true)]
    [InlineData("/.well-known/mercure/subscriptions/exact/x/y", true)]
    [InlineData("https://other.example/.well-known/mercure/x", true)]
    [InlineData("http://a@b:9/.well-known/mercure?x", true)]
    [InlineData("/.well-known/%6Dercure/x", true)]
    [InlineData("/.well-known/x/../mercure/y", true)]
    [InlineData("/.well-known/x/%2E%2e/mercure", true)]
    [InlineData("mercure/x", true)]
    [InlineData("\\.well-known\\mercure", true)]
    [InlineData("/.well-known/mercurex", false)]
    [InlineData("/.well-known", false)]
    [InlineData("urn:.well-known/mercure", false)]
    [InlineData("https://exa mple/.well-known/mercure", false)]
    public void Topics_of_the_reserved_namespace_are_recognised(string topic, bool isReserved)
    {
        var hub = new HubUrl("https://hub.example.com/.well-known/mercure");
        Assert.Equal(isReserved, hub.IsReserved(new Topic(topic, hub.Url)));
    }
}
