using System.Net;
using System.Text.Json;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Protocol 0.x, alone and beside 1.0.</summary>
public sealed class LegacyTests
{
    private static Task<HubNodes> StartAsync(MercureDialects dialects, Action<MercureOptions>? configure = null) =>
        HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            options =>
            {
                options.Dialects = dialects;
                configure?.Invoke(options);
            }
        );

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    [Theory]
    [InlineData(MercureDialects.Version0)]
    [InlineData(MercureDialects.Both)]
    public async Task Topics_are_exact_texts_or_uri_templates(MercureDialects dialects)
    {
        await using var hub = await StartAsync(dialects);
        await using var reader = await hub.OpenAsync(
            $"topic=a&topic={Uri.EscapeDataString("https://example.com/books/{id}")}",
            Tokens.Legacy(subscribe: ["https://example.com/{+any}"])
        );
        var token = Tokens.Legacy(publish: ["*"]);
        foreach (
            var fields in ((string, string)[][])
                [
                    [("topic", "b"), ("data", "wrong")],
                    [("topic", "a"), ("data", "1")],
                    [("topic", "a"), ("private", "on"), ("data", "wrong")],
                    [("topic", "https://example.com/books/1/2"), ("data", "wrong")],
                    [("topic", "https://example.com/books/1"), ("private", "on"), ("data", "2")],
                ]
        )
        {
            using var answer = await hub.PublishAsync(token, fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        Assert.Equal(["1", "2"], (await reader.NextAsync(2)).Select(update => update.Data));
    }

    [Fact]
    public async Task A_stream_resumes_with_the_names_of_the_old_dialect()
    {
        await using var hub = await StartAsync(MercureDialects.Version0);
        var token = Tokens.Legacy(publish: ["a"]);
        using var first = await hub.PublishAsync(token, ("topic", "a"), ("data", "1"), ("id", "urn:1"));
        using var second = await hub.PublishAsync(token, ("topic", "a"), ("data", "2"));
        await using var reader = await hub.OpenAsync("topic=a&lastEventID=urn:1");
        Assert.Equal("2", (await reader.NextAsync()).Data);
        Assert.Equal("urn:1", Header(reader.Response, "Last-Event-ID"));
        Assert.Null(Header(reader.Response, "Mercure-Last-Event-ID"));
    }

    [Theory]
    [InlineData("topic=a&authorization=", null)]
    [InlineData("topic=a", "mercureAuthorization=")]
    public async Task A_token_may_be_in_the_address_or_in_the_old_cookie(string query, string? cookie)
    {
        await using var hub = await StartAsync(MercureDialects.Both);
        var token = Tokens.Legacy(subscribe: ["a"]);
        await using var reader = await hub.OpenAsync(
            cookie is null ? query + token : query,
            cookie: cookie is null ? null : cookie + token
        );
        await hub.PublishAsync(("topic", "a"), ("private", "on"), ("data", "secret"));
        Assert.Equal("secret", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task Refusals_are_401_and_matchers_of_the_new_dialect_are_unknown()
    {
        await using var hub = await StartAsync(MercureDialects.Version0);
        using var scope = await hub.PublishAsync(Tokens.Legacy(publish: ["a"]), ("topic", "b"));
        Assert.Equal(HttpStatusCode.Unauthorized, scope.StatusCode);
        using var none = await hub.PublishAsync(null, ("topic", "b"));
        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (none.StatusCode, Header(none, "WWW-Authenticate")));
        using var match = await hub.GetAsync(HubNodes.Path + "?match=a");
        Assert.Equal(HttpStatusCode.BadRequest, match.StatusCode);
    }

    [Fact]
    public async Task A_hub_of_the_new_dialect_refuses_old_tokens()
    {
        await using var hub = await StartAsync(MercureDialects.Version1);
        using var answer = await hub.PublishAsync(Tokens.Legacy(publish: ["*"]), ("topic", "a"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task An_expired_old_token_is_refused_and_ends_its_stream()
    {
        await using var hub = await StartAsync(MercureDialects.Both);
        var claims = new Dictionary<string, object?>
        {
            ["exp"] = hub.Time.GetUtcNow().AddSeconds(10).ToUnixTimeSeconds(),
            ["mercure"] = new { subscribe = new[] { "a" } },
        };
        await using var reader = await hub.OpenAsync("topic=a", Tokens.Sign(claims, typ: "JWT"));
        hub.Time.Advance(TimeSpan.FromSeconds(10));
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        using var answer = await hub.GetAsync(HubNodes.Path + "?topic=a", Tokens.Sign(claims, typ: "JWT"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Subscriptions_have_the_documents_of_the_dialect_that_made_them()
    {
        await using var hub = await StartAsync(MercureDialects.Both, static options => options.Subscriptions = true);
        var token = Tokens.Legacy(subscribe: ["*"], payload: new { user = 7 });
        await using var watcher = await hub.OpenAsync("topic=/.well-known/mercure/subscriptions{/topic}{/subscriber}", token);
        var own = await watcher.NextAsync();
        Assert.Equal("message", own.EventType);
        await using var reader = await hub.OpenAsync("topic=a", token);
        using var json = JsonDocument.Parse((await watcher.NextAsync()).Data);
        var one = json.RootElement;
        Assert.Equal(("https://mercure.rocks/", "Subscription", "a"), (Text(one, "@context"), Text(one, "type"), Text(one, "topic")));
        Assert.Equal(7, one.GetProperty("payload").GetProperty("user").GetInt32());
        Assert.Equal($"/.well-known/mercure/subscriptions/a/{Uri.EscapeDataString(Text(one, "subscriber"))}", Text(one, "id"));

        await using var other = await hub.OpenAsync("match=a");
        using var list = await hub.GetAsync("/.well-known/mercure/subscriptions/a", token);
        Assert.Equal("application/ld+json", list.Content.Headers.ContentType!.MediaType);
        using var body = JsonDocument.Parse(await list.Content.ReadAsStringAsync());
        Assert.Equal("Subscriptions", Text(body.RootElement, "type"));
        Assert.StartsWith("#", Text(body.RootElement, "lastEventID"), StringComparison.Ordinal);
        Assert.Single(body.RootElement.GetProperty("subscriptions").EnumerateArray());
        using var single = await hub.GetAsync(Text(one, "id"), token);
        Assert.Equal(HttpStatusCode.OK, single.StatusCode);
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
