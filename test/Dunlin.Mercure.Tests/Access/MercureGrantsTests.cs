using System.Text.Json;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Tests.Access;

public sealed class MercureGrantsTests
{
    private const string Detail = "https://mercure.rocks/authorization-detail";

    private static readonly WebUrl Hub = WebUrl.Parse("https://hub.example.com/.well-known/mercure")!;

    [Fact]
    public void Actions_of_each_detail_apply_to_its_own_topics()
    {
        var grants = Details(
            $$"""
            [{"type": "{{Detail}}", "actions": ["publish"], "topics": [{"match": "a"}]},
             {"type": "{{Detail}}", "actions": ["subscribe", "later"], "topics": [{"match": "/b/:id", "match_type": "urlpattern"}]},
             {"type": "{{Detail}}", "actions": ["later"], "topics": [{"match": "c"}]},
             {"type": "other", "actions": 7}]
            """
        );
        Assert.True(grants.MayPublish([Topic("a")]));
        Assert.False(grants.MayPublish([Topic("a"), Topic("/b/1")]));
        Assert.True(grants.MayRead([Topic("x"), Topic("/b/1")]));
        Assert.False(grants.MayRead([Topic("a"), Topic("c")]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[7]")]
    [InlineData("""[{"type": "DETAIL", "topics": [{"match": "a"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": [], "topics": [{"match": "a"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": "publish", "topics": [{"match": "a"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish", 1], "topics": [{"match": "a"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": []}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": ["a"]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": 1}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "a", "match_type": "regexp"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "a", "match_type": "uritemplate"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "a", "match_type": null}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "/(", "match_type": "urlpattern"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "a\u0000"}]}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["subscribe"], "topics": [{"match": "a"}], "payload": "x"}]""")]
    [InlineData("""[{"type": "DETAIL", "actions": ["publish"], "topics": [{"match": "a"}]}, {"type": "DETAIL"}]""")]
    public void One_faulty_detail_refuses_the_whole_claim(string json) =>
        Assert.Throws<FormatException>(() => Details(json.Replace("DETAIL", Detail, StringComparison.Ordinal)));

    [Fact]
    public void Claims_over_a_limit_are_refused()
    {
        var topics = string.Join(',', Enumerable.Range(0, MercureGrants.MaxMatchers + 1).Select(i => $$"""{"match": "{{i}}"}"""));
        Assert.Throws<FormatException>(() => Details($$"""[{"type": "{{Detail}}", "actions": ["publish"], "topics": [{{topics}}]}]"""));
        var one = $$"""{"type": "{{Detail}}", "actions": ["publish"], "topics": [{"match": "a"}]}""";
        Assert.Throws<FormatException>(() => Details($"[{string.Join(',', Enumerable.Repeat(one, MercureGrants.MaxDetails + 1))}]"));
        Assert.Throws<FormatException>(() =>
            Details(
                $$"""[{"type": "{{Detail}}", "actions": ["publish"], "topics": [{"match": "{{new string('a', MercureGrants.MaxLength + 1)}}"}]}]"""
            )
        );
    }

    [Fact]
    public void First_matching_subscribe_detail_gives_the_payload()
    {
        var grants = Details(
            $$$"""
            [{"type": "{{{Detail}}}", "actions": ["publish"], "topics": [{"match": "*"}]},
             {"type": "{{{Detail}}}", "actions": ["subscribe"], "topics": [{"match": "https://example.com/foo"}], "payload": {"n": 1}},
             {"type": "{{{Detail}}}", "actions": ["subscribe"], "topics": [{"match": "https://example.com/bar/:id", "match_type": "urlpattern"}], "payload": {"n": 2}},
             {"type": "{{{Detail}}}", "actions": ["subscribe"], "topics": [{"match": "*"}], "payload": {"n": 3}}]
            """
        );
        Assert.Equal("1", Payload("exact", "https://example.com/foo"));
        Assert.Equal("2", Payload("urlpattern", "https://example.com/bar/:id"));
        Assert.Equal("2", Payload("exact", "https://example.com/bar/7"));
        Assert.Equal("3", Payload("exact", "anything"));

        string? Payload(string type, string text) =>
            grants.PayloadOf(TopicMatcher.Create(type, text, Hub), Hub)?.GetProperty("n").GetRawText();
    }

    [Fact]
    public void Claim_of_the_0_x_dialect_has_selectors_and_one_payload()
    {
        var grants = Claim("""{"publish": ["https://example.com/{id}", "plain"], "subscribe": ["*"], "payload": {"user": "ann"}}""");
        Assert.True(grants.MayPublish([Topic("https://example.com/1"), Topic("plain")]));
        Assert.False(grants.MayPublish([Topic("other")]));
        Assert.True(grants.MayRead([Topic("other")]));
        Assert.Equal("ann", grants.PayloadOf(TopicMatcher.Create("uritemplate", "x", Hub), Hub)?.GetProperty("user").GetString());
        Assert.Equal(MercureGrants.None, Claim(null));
        Assert.Empty(Claim("{}").Publish);
        Assert.Throws<FormatException>(() => Claim("""{"publish": "x"}"""));
        Assert.Throws<FormatException>(() => Claim("""{"publish": [1]}"""));
        Assert.Throws<FormatException>(() => Claim("[]"));
    }

    private static Topic Topic(string text) => new(text, Hub);

    private static MercureGrants Details(string json) => MercureGrants.FromDetails(JsonDocument.Parse(json).RootElement, Hub);

    private static MercureGrants Claim(string? json) =>
        MercureGrants.FromClaim(json is null ? null : JsonDocument.Parse(json).RootElement, Hub);
}
