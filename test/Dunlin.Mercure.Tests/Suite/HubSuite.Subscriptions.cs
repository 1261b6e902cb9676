using System.Net;
using System.Text.Json;

namespace Dunlin.Mercure.Tests.Suite;

/// <content>Subscription events and the subscription API.</content>
public abstract partial class HubSuite
{
    private const string Pattern = "https://example.com/books/:id";

    private static readonly string Root = HubNodes.Path + "/subscriptions";

    private static void On(MercureOptions options) => options.Subscriptions = true;

    /// <summary>A token that may read everything of the hub's own, with payloads for two subscriptions.</summary>
    private static string Watcher(TimeProvider time) => Tokens.Sign(Tokens.Claims(time, Tokens.Detail("subscribe", ["*"])));

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer)
    {
        await IsAsync(HttpStatusCode.OK, answer);
        using var json = JsonDocument.Parse(await TextAsync(answer));
        return json.RootElement.Clone();
    }

    [Fact]
    public async Task Each_matcher_of_a_stream_makes_an_event_at_its_begin_and_end()
    {
        await using var hub = await StartAsync(On);
        await using var watcher = await hub.OpenAsync($"match_urlpattern={Encode(Root + "/:type/:match/:subscriber")}", Watcher(hub.Time));
        await watcher.NextAsync();
        var token = Tokens.Sign(
            Tokens.Claims(
                hub.Time,
                Tokens.Detail("subscribe", ["other"], new { n = 0 }),
                Tokens.Detail("subscribe", ["a"], new { n = 1 }),
                Tokens.Detail("subscribe", ["*"], new { n = 2 })
            )
        );
        var reader = await hub.OpenAsync($"match=a&match_urlpattern={Encode(Pattern)}&match=a", token);
        var begins = await watcher.NextAsync(2);
        Assert.All(begins, update => Assert.Equal("mercure", update.EventType));
        var documents = begins.Select(update => JsonDocument.Parse(update.Data).RootElement).ToList();
        var subscriber = documents[0].GetProperty("subscriber").GetString()!;
        Assert.Matches("^urn:uuid:[0-9a-f-]{36}$", subscriber);
        Assert.Equal($"{Root}/exact/a/{Encode(subscriber)}", documents[0].GetProperty("id").GetString());
        Assert.Equal($"{Root}/urlpattern/{Encode(Pattern)}/{Encode(subscriber)}", documents[1].GetProperty("id").GetString());
        Assert.Equal(["exact", "urlpattern"], documents.Select(one => one.GetProperty("match_type").GetString()));
        Assert.Equal(["a", Pattern], documents.Select(one => one.GetProperty("match").GetString()));
        Assert.Equal([1, 2], documents.Select(one => one.GetProperty("payload").GetProperty("n").GetInt32()));
        Assert.All(documents, one => Assert.True(one.GetProperty("active").GetBoolean()));
        Assert.All(documents, one => Assert.Equal("subscription", one.GetProperty("type").GetString()));

        await reader.DisposeAsync();
        var ends = (await watcher.NextAsync(2)).Select(update => JsonDocument.Parse(update.Data).RootElement).ToList();
        Assert.All(ends, one => Assert.False(one.GetProperty("active").GetBoolean()));
        Assert.Equal(
            documents.Select(one => one.GetProperty("id").GetString()).Order(),
            ends.Select(one => one.GetProperty("id").GetString()).Order()
        );
    }

    [Fact]
    public async Task Subscription_events_are_private()
    {
        await using var hub = await StartAsync(On);
        await using var anonymous = await hub.OpenAsync("match=*");
        await using var other = await hub.OpenAsync("match=*", Tokens.Reader(hub.Time, "a"));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("marker", (await anonymous.NextAsync()).Data);
        Assert.Equal("marker", (await other.NextAsync()).Data);
    }

    [Fact]
    public async Task A_subscriber_cannot_choose_its_identifier()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        await using var first = await hub.OpenAsync("match=a&subscriber=mine", token);
        await using var second = await hub.OpenAsync("match=a&subscriber=mine", token);
        var list = (await JsonAsync(await hub.GetAsync(Root, token))).GetProperty("subscriptions");
        var subscribers = list.EnumerateArray().Select(one => one.GetProperty("subscriber").GetString()).ToHashSet();
        Assert.Equal(2, subscribers.Count);
        Assert.DoesNotContain("mine", subscribers);
    }

    [Fact]
    public async Task The_api_lists_all_one_matcher_and_one_subscription()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        await using var reader = await hub.OpenAsync($"match=a&match_urlpattern={Encode(Pattern)}");
        await using var other = await hub.OpenAsync("match=a");
        using var all = await hub.GetAsync(Root, token);
        Assert.Equal("application/json", Header(all, "Content-Type"));
        var list = await JsonAsync(all);
        Assert.Equal((Root, "subscriptions"), (list.GetProperty("id").GetString(), list.GetProperty("type").GetString()));
        Assert.Equal(3, list.GetProperty("subscriptions").GetArrayLength());

        var ofMatcher = await JsonAsync(await hub.GetAsync($"{Root}/urlpattern/{Encode(Pattern)}", token));
        Assert.Equal($"{Root}/urlpattern/{Encode(Pattern)}", ofMatcher.GetProperty("id").GetString());
        var one = Assert.Single(ofMatcher.GetProperty("subscriptions").EnumerateArray());
        var single = await JsonAsync(await hub.GetAsync(one.GetProperty("id").GetString()!, token));
        Assert.Equal(one.ToString(), single.ToString());
    }

    [Fact]
    public async Task The_api_answers_its_errors()
    {
        await using var hub = await StartAsync(On);
        using var noToken = await hub.GetAsync(Root);
        await IsAsync(HttpStatusCode.Unauthorized, noToken);
        using var noGrant = await hub.GetAsync(Root, Tokens.Reader(hub.Time, "a", Root + "/exact/a"));
        await IsAsync(HttpStatusCode.Forbidden, noGrant);
        Assert.Contains("insufficient_scope", Header(noGrant, "WWW-Authenticate"), StringComparison.Ordinal);
        foreach (var rest in (string[])["/exact/a/urn%3Auuid%3A1", "/exact", "/exact/a/b/c"])
        {
            using var unknown = await hub.GetAsync(Root + rest, Watcher(hub.Time));
            await IsAsync(HttpStatusCode.NotFound, unknown);
        }
    }

    [Fact]
    public async Task A_grant_for_the_path_of_a_resource_is_enough()
    {
        await using var hub = await StartAsync(On);
        using var exact = await hub.GetAsync($"{Root}/exact/a?x=1", Tokens.Reader(hub.Time, Root + "/exact/a"));
        await IsAsync(HttpStatusCode.OK, exact);
        var pattern = Tokens.Sign(Tokens.Claims(hub.Time, Tokens.Detail("subscribe", [Root + "/*"], type: "urlpattern")));
        using var below = await hub.GetAsync($"{Root}/exact/a", pattern);
        await IsAsync(HttpStatusCode.OK, below);
    }

    [Fact]
    public async Task The_cursor_of_a_list_leads_to_each_later_change()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        using var empty = await hub.GetAsync(Root, token);
        Assert.Contains("last-event-id=\"earliest\"", Header(empty, "Link"), StringComparison.Ordinal);
        await using var reader = await hub.OpenAsync("match=a");
        using var answer = await hub.GetAsync(Root, token);
        var link = Header(answer, "Link")!;
        Assert.StartsWith($"<{HubNodes.Url}>; rel=\"mercure\"; last-event-id=\"", link, StringComparison.Ordinal);
        Assert.EndsWith("type=\"mercure\"; content-type=\"application/json\"", link, StringComparison.Ordinal);
        var cursor = link.Split("last-event-id=\"")[1].Split('"')[0];
        await using var later = await hub.OpenAsync("match=b");
        await using var watcher = await hub.OpenAsync($"match=*&last_event_id={Encode(cursor)}", token);
        Assert.Equal("b", JsonDocument.Parse((await watcher.NextAsync()).Data).RootElement.GetProperty("match").GetString());
        Assert.Equal(cursor, Header(watcher.Response, "Mercure-Last-Event-ID"));
    }

    [Fact]
    public async Task A_list_has_an_etag_and_must_be_validated()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        using var first = await hub.GetAsync(Root, token);
        Assert.Equal("must-revalidate", Header(first, "Cache-Control"));
        var again = new HttpRequestMessage(HttpMethod.Get, Root);
        again.Headers.TryAddWithoutValidation("If-None-Match", Header(first, "ETag"));
        using var same = await hub.SendAsync(hub.Second, again, token);
        await IsAsync(HttpStatusCode.NotModified, same);
    }

    [Fact]
    public async Task Without_the_option_there_are_no_lists_and_no_events()
    {
        await using var hub = await StartAsync();
        using var answer = await hub.GetAsync(Root, Watcher(hub.Time));
        await IsAsync(HttpStatusCode.NotFound, answer);
        await using var reader = await hub.OpenAsync("match=*", Watcher(hub.Time));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("marker", (await reader.NextAsync()).Data);
    }
}
