using System.Net;
using System.Net.Http.Headers;

namespace Dunlin.Mercure.Tests.Suite;

/// <content>Subscription, matcher types, private updates and reconciliation.</content>
public abstract partial class HubSuite
{
    [Fact]
    public async Task Each_matcher_selects_its_topics_and_an_update_arrives_once()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync(
            $"match=bar&match_exact=foo&match=alt&match_urlpattern={Encode("https://example.com/books/:id")}"
        );
        foreach (var topic in (string[])["Foo", "foo/", "https://example.com/books/1/2", "https://other.example/books/1", "books"])
            await hub.PublishAsync(("topic", topic), ("data", "wrong"));
        await hub.PublishAsync(("topic", "foo"), ("topic", "bar"), ("topic", "alt"), ("data", "1"));
        await hub.PublishAsync(("topic", "x"), ("topic", "alt"), ("data", "2"));
        await hub.PublishAsync(("topic", "https://example.com/books/7"), ("data", "3"));
        Assert.Equal(["1", "2", "3"], (await reader.NextAsync(3)).Select(update => update.Data));
    }

    [Fact]
    public async Task Patterns_resolve_relative_topics_and_exact_matchers_do_not()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync(
            $"match_urlpattern={Encode("/books/:id")}&match={Encode("https://hub.example.com/x")}"
        );
        await hub.PublishAsync(("topic", "/x"), ("data", "wrong"));
        await hub.PublishAsync(("topic", "/books/1"), ("data", "1"));
        await hub.PublishAsync(("topic", "https://hub.example.com/books/2"), ("data", "2"));
        Assert.Equal(["1", "2"], (await reader.NextAsync(2)).Select(update => update.Data));
    }

    [Theory]
    [InlineData("match=*")]
    [InlineData("match_exact=*")]
    [InlineData("match_urlpattern=*")]
    public async Task The_wildcard_selects_every_topic_in_each_type(string query)
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync(query);
        await hub.PublishAsync(("topic", "no url at all: \\ %"), ("data", "1"));
        await hub.PublishAsync(("topic", "https://example.com/ü"), ("data", "2"));
        Assert.Equal(["1", "2"], (await reader.NextAsync(2)).Select(update => update.Data));
    }

    // With backtracking, this pattern would need more steps than a test can wait for.
    [Fact]
    public async Task A_pathological_pattern_is_matched_in_linear_time()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync($"match=marker&match_urlpattern={Encode("/x/((?:a+)+)b")}");
        await hub.PublishAsync(("topic", "/x/" + new string('a', 2000)), ("data", "wrong"));
        await hub.PublishAsync(("topic", "/x/" + new string('a', 2000) + "b"), ("data", "1"));
        await hub.PublishAsync(("topic", "marker"), ("data", "2"));
        Assert.Equal(["1", "2"], (await reader.NextAsync(2)).Select(update => update.Data));
    }

    [Theory]
    [InlineData("")]
    [InlineData("topic=a")]
    [InlineData("match=")]
    [InlineData("match=a&matches=b")]
    [InlineData("match=a&Match=b")]
    [InlineData("match=a&MATCH_exact=b")]
    [InlineData("match_uritemplate=a")]
    [InlineData("match_URLPattern=a")]
    [InlineData("match=a%00")]
    [InlineData("match=a%E2%80%8B")]
    [InlineData("match=%FF")]
    [InlineData("match_urlpattern=https://example.com/(")]
    [InlineData("match_urlpattern=/(a{2000})")]
    [InlineData("match_urlpattern=/([a")]
    public async Task A_faulty_subscription_is_refused_with_400(string query)
    {
        await using var hub = await StartAsync();
        using var answer = await hub.GetAsync($"{HubNodes.Path}?{query}");
        await IsAsync(HttpStatusCode.BadRequest, answer);
    }

    [Fact]
    public async Task Too_many_or_too_long_matchers_are_refused_with_400()
    {
        await using var hub = await StartAsync();
        using var many = await hub.GetAsync($"{HubNodes.Path}?{string.Join('&', Enumerable.Range(0, 101).Select(i => $"match=t{i}"))}");
        await IsAsync(HttpStatusCode.BadRequest, many);
        using var longOne = await hub.GetAsync($"{HubNodes.Path}?match={new string('x', 2049)}");
        await IsAsync(HttpStatusCode.BadRequest, longOne);
        var text = string.Join('&', Enumerable.Range(0, 64).Select(i => $"match={new string('x', 1017)}{i:D4}")); // 64 KiB
        using var body = await hub.SendAsync(hub.Second, QueryRequest(text + "&match_urlpattern=("));
        await IsAsync(HttpStatusCode.BadRequest, body);
    }

    [Fact]
    public async Task Query_takes_the_matchers_of_its_body_and_of_its_address()
    {
        await using var hub = await StartAsync();
        var first = await hub.PublishAsync(("topic", "a"), ("data", "1"));
        await hub.PublishAsync(("topic", "a"), ("data", "2"));
        var last = await hub.PublishAsync(("topic", "b"), ("data", "3"));
        var client = hub.Second.Client();
        await using var reader = await Dunlin.TestKit.TestClients.OpenStreamAsync(
            client,
            QueryRequest($"match=b&last_event_id={Encode(last)}", $"?match=a&last_event_id={Encode(first)}"),
            static item => item.Data
        );
        Assert.Equal(["2", "3"], await reader.NextAsync(2));
    }

    private static HttpRequestMessage QueryRequest(string form, string query = "") =>
        new(new HttpMethod("QUERY"), HubNodes.Path + query)
        {
            Content = new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded")),
        };

    [Fact]
    public async Task Head_answers_with_the_headers_of_a_stream()
    {
        await using var hub = await StartAsync();
        using var answer = await hub.SendAsync(
            hub.Second,
            new HttpRequestMessage(HttpMethod.Head, HubNodes.Path + "?match=a&last_event_id=earliest")
        );
        await IsAsync(HttpStatusCode.OK, answer);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("earliest", Header(answer, "Mercure-Last-Event-ID"));
    }

    // Private updates

    [Fact]
    public async Task Private_updates_reach_readers_with_a_grant_for_one_topic_only()
    {
        await using var hub = await StartAsync();
        await using var anonymous = await hub.OpenAsync("match=*");
        await using var other = await hub.OpenAsync("match=*", Tokens.Reader(hub.Time, "c"));
        await using var granted = await hub.OpenAsync("match=a", Tokens.Reader(hub.Time, "b"));
        await using var template = await hub.OpenAsync(
            "match=a",
            Tokens.Sign(Tokens.Claims(hub.Time, Tokens.Detail("subscribe", ["/users/:id"], type: "urlpattern")))
        );
        await hub.PublishAsync(("topic", "a"), ("topic", "b"), ("topic", "/users/1"), ("private", ""), ("data", "secret"));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("secret", (await granted.NextAsync()).Data);
        Assert.Equal("secret", (await template.NextAsync()).Data);
        Assert.Equal("marker", (await anonymous.NextAsync()).Data);
        Assert.Equal("marker", (await other.NextAsync()).Data);
    }

    [Fact]
    public async Task Replayed_private_updates_need_the_grants_of_the_present_token()
    {
        await using var hub = await StartAsync();
        await hub.PublishAsync(("topic", "a"), ("private", "off"), ("data", "secret"));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        await using var anonymous = await hub.OpenAsync("match=a&last_event_id=earliest");
        await using var publisher = await hub.OpenAsync("match=a&last_event_id=earliest", Tokens.Publisher(hub.Time));
        await using var granted = await hub.OpenAsync("match=a&last_event_id=earliest", Tokens.Reader(hub.Time, "a"));
        Assert.Equal("marker", (await anonymous.NextAsync()).Data);
        Assert.Equal("marker", (await publisher.NextAsync()).Data);
        Assert.Equal(["secret", "marker"], (await granted.NextAsync(2)).Select(update => update.Data));
    }

    [Fact]
    public async Task Parameters_never_widen_what_a_token_grants()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=*&match=b", Tokens.Reader(hub.Time, "a"));
        await hub.PublishAsync(("topic", "b"), ("private", "on"), ("data", "secret"));
        await hub.PublishAsync(("topic", "a"), ("private", "on"), ("data", "own"));
        Assert.Equal("own", (await reader.NextAsync()).Data);
    }

    // Reconciliation

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_resumes_after_the_named_update(bool hasOwnIds)
    {
        await using var hub = await StartAsync();
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add(
                await hub.PublishAsync(
                    hasOwnIds ? [("topic", "a"), ("data", $"{i}"), ("id", $"urn:ü:{i}")] : [("topic", "a"), ("data", $"{i}")]
                )
            );
        await using var reader = await hub.OpenAsync($"match=a&last_event_id={Encode(ids[1])}");
        Assert.Equal(["2", "3"], (await reader.NextAsync(2)).Select(update => update.Data));
        Assert.Equal(ids[1], Latin(Header(reader.Response, "Mercure-Last-Event-ID")!));
    }

    // HttpClient reads headers as Latin-1; the hub sends UTF-8, as the request header has it.
    private static string Latin(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(text));

    [Fact]
    public async Task The_header_of_the_last_id_precedes_the_parameter()
    {
        await using var hub = await StartAsync();
        var first = await hub.PublishAsync(("topic", "a"), ("data", "1"));
        var second = await hub.PublishAsync(("topic", "a"), ("data", "2"));
        await hub.PublishAsync(("topic", "a"), ("data", "3"));
        await using var reader = await hub.OpenAsync($"match=a&last_event_id={Encode(first)}", lastEventId: second);
        Assert.Equal("3", (await reader.NextAsync()).Data);
        Assert.Equal(second, Header(reader.Response, "Mercure-Last-Event-ID"));
    }

    [Theory]
    [InlineData("earliest")]
    [InlineData("unknown")]
    [InlineData("#00000001-5")]
    [InlineData("#00000001-5 or 1=1")]
    [InlineData("a%00b")]
    public async Task An_unknown_id_begins_with_the_oldest_update_and_says_so(string id)
    {
        await using var hub = await StartAsync();
        await hub.PublishAsync(("topic", "a"), ("data", "1"));
        await using var reader = await hub.OpenAsync(
            $"match=a&last_event_id={(id.Contains('%', StringComparison.Ordinal) ? id : Encode(id))}"
        );
        Assert.Equal("1", (await reader.NextAsync()).Data);
        Assert.Equal("earliest", Header(reader.Response, "Mercure-Last-Event-ID"));
    }

    [Fact]
    public async Task A_stream_without_a_last_id_has_no_response_id_and_no_history()
    {
        await using var hub = await StartAsync();
        await hub.PublishAsync(("topic", "a"), ("data", "1"));
        if (hub.AreTwo)
            await hub.UntilAsync(
                () => Task.FromResult(Delivered(hub.Second) == Delivered(hub.First)),
                TimeSpan.Zero,
                "the second node knows the update"
            );
        await using var reader = await hub.OpenAsync("match=a");
        await hub.PublishAsync(("topic", "a"), ("data", "2"));
        Assert.Equal("2", (await reader.NextAsync()).Data);
        Assert.Null(Header(reader.Response, "Mercure-Last-Event-ID"));
    }

    private static long Delivered(Dunlin.TestKit.DunlinTestHost node) => node.Get<Dunlin.Fanout.EventFanout>().DeliveredHead.Offset;

    [Fact]
    public async Task A_repeated_id_means_its_first_use()
    {
        await using var hub = await StartAsync();
        await hub.PublishAsync(("topic", "a"), ("data", "1"), ("id", "twice"));
        await hub.PublishAsync(("topic", "a"), ("data", "2"));
        await hub.PublishAsync(("topic", "a"), ("data", "3"), ("id", "twice"));
        await using var reader = await hub.OpenAsync("match=a", lastEventId: "twice");
        var updates = await reader.NextAsync(2);
        Assert.Equal(["2", "3"], updates.Select(update => update.Data));
        Assert.Equal("twice", updates[1].EventId);
    }

    [Fact]
    public async Task An_empty_history_answers_earliest()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a&last_event_id=x");
        Assert.Equal("earliest", Header(reader.Response, "Mercure-Last-Event-ID"));
        await hub.PublishAsync(("topic", "a"), ("data", "1"));
        Assert.Equal("1", (await reader.NextAsync()).Data);
    }
}
