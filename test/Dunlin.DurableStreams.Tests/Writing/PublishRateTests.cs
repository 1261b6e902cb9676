using System.Text.Json.Nodes;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Publishing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.DurableStreams.Tests.Writing;

/// <summary>The publish limits of a user count what streams store.</summary>
public sealed class PublishRateTests
{
    private const string Stream = "/streams/alice/notes";
    private const string Json = "application/json";

    [Fact]
    public async Task Appends_over_the_rate_are_refused_until_the_wait_is_over()
    {
        await using var host = await StartAsync(static publish => (publish.PerSecond, publish.Burst) = (1, 3));
        (await host.SendAsync("PUT", Stream, type: "text/plain")).Is(201);
        (await host.SendAsync("POST", Stream, "a")).Is(204);
        (await host.SendAsync("POST", Stream, "b")).Is(204);
        var refused = (await host.SendAsync("POST", Stream, "c")).Is(429);
        Assert.Equal("1", refused["Retry-After"]);
        Assert.Contains("too_many_requests", refused.Text, StringComparison.Ordinal);
        Assert.Contains("\"limit\":1", refused.Text, StringComparison.Ordinal);
        (await host.SendAsync("PUT", "/streams/bob/notes", user: "bob", type: "text/plain")).Is(201);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        (await host.SendAsync("POST", Stream, "d")).Is(204);
        Assert.Equal("abd", (await host.SendAsync("GET", Stream)).Text);
    }

    [Theory]
    [InlineData("PUT", "/streams/alice/other")]
    [InlineData("POST", Stream)]
    [InlineData("DELETE", Stream)]
    public async Task Every_request_that_writes_counts(string method, string path)
    {
        await using var host = await StartAsync(static publish => (publish.PerSecond, publish.Burst) = (1, 1));
        (await host.SendAsync("PUT", Stream, type: "text/plain")).Is(201);
        Assert.Equal("1", (await host.SendAsync(method, path, method == "POST" ? "x" : null)).Is(429)["Retry-After"]);
        if (method == "POST")
            (await host.SendAsync(method, path, headers: ("Stream-Closed", "true"))).Is(429);
        (await host.SendAsync("GET", Stream)).Is(200);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await host.SendAsync(method, path, method == "POST" ? "x" : null)).Status < 300);
    }

    [Fact]
    public async Task Messages_and_pieces_of_a_large_message_count_as_events()
    {
        await using var host = await StartAsync(static publish => (publish.PerSecond, publish.Burst) = (1, 4));
        (await host.SendAsync("PUT", Stream, type: Json)).Is(201);
        (await host.SendAsync("POST", Stream, "[1,2,3]", type: Json)).Is(204);
        (await host.SendAsync("POST", Stream, "[4]", type: Json)).Is(429);
        (await host.SendAsync("PUT", "/streams/bob/notes", user: "bob", type: "text/plain")).Is(201);
        (await host.SendAsync("POST", "/streams/bob/notes", new byte[150 * 1024], user: "bob")).Is(204);
        (await host.SendAsync("POST", "/streams/bob/notes", "x", user: "bob")).Is(429);
    }

    [Fact]
    public async Task Streams_count_as_topics_of_the_hour()
    {
        await using var host = await StartAsync(static publish => publish.TopicsPerHour = 2);
        (await host.SendAsync("PUT", "/streams/alice/a", type: "text/plain")).Is(201);
        (await host.SendAsync("PUT", "/streams/alice/b", type: "text/plain")).Is(201);
        (await host.SendAsync("POST", "/streams/alice/a", "x")).Is(204);
        Assert.Equal("3600", (await host.SendAsync("PUT", "/streams/alice/c", type: "text/plain")).Is(429)["Retry-After"]);
        host.Time.Advance(TimeSpan.FromHours(1));
        (await host.SendAsync("PUT", "/streams/alice/c", type: "text/plain")).Is(201);
    }

    [Theory]
    [InlineData("PUT", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/streams")]
    [InlineData("DELETE", "/streams/alice%2Fdata%2Fa")]
    [InlineData("POST", "/claim")]
    public async Task Changes_of_subscriptions_count(string method, string tail)
    {
        await using var host = await StartAsync(static publish => (publish.PerSecond, publish.Burst) = (1, 2));
        (await host.CreateStreamAsync("alice/data/a")).Is(201);
        (await host.PullAsync("p")).Is(201);
        var body = tail switch
        {
            "/streams" => """{"streams": ["alice/data/a"]}""",
            "/claim" => """{"worker": "one"}""",
            _ => """{"type": "pull-wake", "pattern": "alice/data/*", "wake_stream": "alice/wake"}""",
        };
        var path = "/streams/__ds/subscriptions/p" + tail;
        Assert.Equal("1", (await host.SendAsync(method, path, body, type: Json)).Is(429)["Retry-After"]);
        (await host.GetSubscriptionAsync("p")).Is(200);
    }

    [Fact]
    public async Task Acknowledgements_count_for_the_owner()
    {
        await using var host = await StartAsync(static publish => (publish.PerSecond, publish.Burst) = (1, 3));
        (await host.PullAsync("p")).Is(201);
        var end = (await host.CreateStreamAsync("alice/data/a")).Is(201).Next;
        var claim = (await host.CallAsync("p", "claim", new JsonObject { ["worker"] = "one" }, null, "alice")).Is(200).Json();
        var token = claim.GetProperty("token").GetString();
        var ack = SubscriptionCalls.Ack(
            claim.GetProperty("wake_id").GetString()!,
            claim.GetProperty("generation").GetInt64(),
            true,
            ("alice/data/a", end)
        );
        Assert.Equal("1", (await host.CallAsync("p", "ack", ack, token)).Is(429)["Retry-After"]);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        (await host.CallAsync("p", "ack", ack, token)).Is(200);
    }

    private static Task<StreamHost> StartAsync(Action<PublishOptions> limits) =>
        StreamHost.StartAsync(services: services => services.Configure(limits));
}
