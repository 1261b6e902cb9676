using System.Net;
using System.Net.Http.Headers;
using Dunlin.Journal;
using Dunlin.Publishing;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Requests as the documentation of publishers shows them, written by hand, and publishing from .NET.</summary>
public sealed class PublisherTests
{
    private static Task<HubNodes> StartAsync(Action<WebApplication>? map = null) =>
        HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            static options => options.Dialects = MercureDialects.Both,
            map
        );

    // Symfony's component joins its fields with PHP's urlencode: spaces become '+', and repeated names have no brackets.
    [Fact]
    public async Task A_request_of_symfony_publishes_to_all_topics()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync(
            $"topic={Uri.EscapeDataString("https://example.com/my-private-topic")}",
            Tokens.Legacy(subscribe: ["https://example.com/my-private-topic"])
        );
        using var answer = await SendAsync(
            hub,
            "topic=https%3A%2F%2Fexample.com%2Fbooks%2F1&topic=https%3A%2F%2Fexample.com%2Fmy-private-topic"
                + "&data=%7B%22status%22%3A%22Out+of+stock%22%7D&private=on&id=urn%3Auuid%3A1&type=book&retry=3000",
            Tokens.Legacy(publish: ["*"])
        );
        Assert.Equal((HttpStatusCode.OK, "urn:uuid:1"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        var update = await reader.NextAsync();
        Assert.Equal(("""{"status":"Out of stock"}""", "book", "urn:uuid:1"), (update.Data, update.EventType, update.EventId));
    }

    // API Platform sends the JSON-LD document of the changed resource, without type and id.
    [Fact]
    public async Task A_request_of_api_platform_reaches_a_template()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync($"topic={Uri.EscapeDataString("https://example.com/api/books/{id}")}");
        using var answer = await SendAsync(
            hub,
            "topic=https%3A%2F%2Fexample.com%2Fapi%2Fbooks%2F1&data=%7B%22%40context%22%3A%22%5C%2Fapi%5C%2Fcontexts%5C%2FBook%22%2C"
                + "%22%40id%22%3A%22%5C%2Fapi%5C%2Fbooks%5C%2F1%22%2C%22title%22%3A%22L%27%C3%89tranger%22%7D",
            Tokens.Legacy(publish: ["https://example.com/api/{+any}"])
        );
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(
            """{"@context":"\/api\/contexts\/Book","@id":"\/api\/books\/1","title":"L'Étranger"}""",
            (await reader.NextAsync()).Data
        );
    }

    private static Task<HttpResponseMessage> SendAsync(HubNodes hub, string form, string token) =>
        hub.SendAsync(
            hub.First,
            new HttpRequestMessage(HttpMethod.Post, HubNodes.Path)
            {
                Content = new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded")),
            },
            token
        );

    [Fact]
    public async Task An_event_of_the_application_reaches_readers_of_the_hub()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync($"match={Uri.EscapeDataString("https://example.com/books/1")}");
        var topic = TopicName.ForText("https://example.com/books/1");
        await hub.First.Store.WriteAsync(
            async (unit, token) => await unit.AppendAsync(new EventDraft(topic, "book.changed", "{}"u8.ToArray()), token)
        );
        var update = await reader.NextAsync();
        Assert.Equal(("{}", "book.changed"), (update.Data, update.EventType));
        await using var replay = await hub.OpenAsync("match=*&last_event_id=earliest");
        Assert.Equal(update.EventId, (await replay.NextAsync()).EventId);
    }

    [Fact]
    public async Task Events_of_path_topics_never_reach_readers_of_the_hub()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=*&match=orders");
        await hub.First.Journal.AppendAsync([new EventDraft(TopicName.Parse("orders"), "made", "{}"u8.ToArray())], null, default);
        await hub.PublishAsync(("topic", "orders"), ("data", "marker"));
        Assert.Equal("marker", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task Responses_of_the_application_link_to_the_hub()
    {
        await using var hub = await StartAsync(static app =>
        {
            app.UseMercureDiscovery();
            app.MapGet("/books/1", static () => "book");
            app.MapGet(
                "/books/2",
                static (HttpResponse response) =>
                    response.AddMercureLink("urn:1", "book", "application/json", "https://example.com/books/2")
            );
        });
        using var plain = await hub.GetAsync("/books/1");
        Assert.Equal($"<{HubNodes.Url}>; rel=\"mercure\"", Assert.Single(plain.Headers.GetValues("Link")));
        using var own = await hub.GetAsync("/books/2");
        Assert.Equal(
            [
                "<https://example.com/books/2>; rel=\"self\"",
                $"<{HubNodes.Url}>; rel=\"mercure\"; last-event-id=\"urn:1\"; type=\"book\"; content-type=\"application/json\"",
            ],
            own.Headers.GetValues("Link")
        );
    }

    [Fact]
    public async Task Publications_over_the_rate_are_refused_with_429()
    {
        await using var hub = await HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            services: static services => services.Configure<PublishOptions>(static o => (o.PerSecond, o.Burst, o.TopicsPerHour) = (1, 2, 2))
        );
        var own = Tokens.Publisher(hub.Time, "https://example.com/a", "https://example.com/b", "https://example.com/c");
        async Task<(HttpStatusCode, TimeSpan?)> PublishAsync(string token, string topic)
        {
            using var answer = await hub.PublishAsync(token, ("topic", $"https://example.com/{topic}"), ("data", "x"));
            return (answer.StatusCode, answer.Headers.RetryAfter?.Delta);
        }
        Assert.Equal((HttpStatusCode.OK, null), await PublishAsync(own, "a"));
        Assert.Equal((HttpStatusCode.OK, null), await PublishAsync(own, "b"));
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)), await PublishAsync(own, "a"));
        for (var i = 0; i < 3; i++)
            Assert.Equal((HttpStatusCode.OK, null), await PublishAsync(Tokens.Publisher(hub.Time), $"all/{i}"));
        hub.Time.Advance(TimeSpan.FromSeconds(1));
        var (status, wait) = await PublishAsync(own, "c");
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        Assert.Equal(TimeSpan.FromSeconds(3_599), wait);
    }
}
