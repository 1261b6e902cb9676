using System.Net;
using System.Text.Json.Nodes;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Outbound;

namespace Dunlin.DurableStreams.Tests.Subscriptions;

/// <summary>Requests and receivers that are refused.</summary>
public sealed class SubscriptionRefusalTests
{
    private const string Hook = "https://hooks.example.com/x";

    [Fact]
    public async Task A_subscription_of_another_user_cannot_be_read_or_changed()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SubscribeAsync("s", Hook)).Is(201);
        (await host.GetSubscriptionAsync("s", "bob")).Is(403);
        (await host.GetSubscriptionAsync("s", "")).Is(401);
        (await host.SendAsync("DELETE", "/streams/__ds/subscriptions/s", user: "bob")).Is(403);
        (await host.CallAsync("s", "streams", new JsonObject { ["streams"] = new JsonArray("bob/x") }, null, "bob")).Is(403);
        (await host.CallAsync("s", "claim", new JsonObject { ["worker"] = "w" }, null, "bob")).Is(403);
        Assert.Equal("SUBSCRIPTION_ALREADY_EXISTS", (await host.SubscribeAsync("s", Hook, "bob/**", "bob")).Is(409).Code());
        (await host.GetSubscriptionAsync("s")).Is(200);
    }

    [Theory]
    [InlineData("bob/**")]
    [InlineData("**")]
    [InlineData("*/notes")]
    [InlineData("bob/notes")]
    public async Task A_pattern_beyond_the_rights_of_the_caller_is_refused(string pattern)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SubscribeAsync("s", Hook, pattern)).Is(403);
        (await host.GetSubscriptionAsync("s")).Is(404);
    }

    [Fact]
    public async Task A_wake_stream_needs_the_right_to_publish()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.PullAsync("p", wake: "public/wake")).Is(403);
    }

    [Theory]
    [InlineData("http://10.0.0.1/hook")]
    [InlineData("https://10.0.0.1/hook")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://[::1]/hook")]
    [InlineData("http://localhost/hook")]
    [InlineData("https://printer.local/hook")]
    [InlineData("https://intranet/hook")]
    [InlineData("http://hooks.example.com/x")]
    [InlineData("https://user@hooks.example.com/x")]
    [InlineData("ftp://hooks.example.com/x")]
    [InlineData("/hook")]
    public async Task A_url_that_is_not_public_is_refused(string url)
    {
        await using var host = await StreamHost.StartAsync();
        Assert.Equal("WEBHOOK_URL_REJECTED", (await host.SubscribeAsync("s", url)).Is(400).Code());
    }

    [Fact]
    public async Task A_name_with_a_private_address_is_refused_at_the_connection()
    {
        IPAddress[] found = [IPAddress.Parse("93.184.215.14"), IPAddress.Loopback];
        using var sender = new OutboundSender(new OutboundRules([]), TimeProvider.System, (_, _) => Task.FromResult(found));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://hooks.example.com/x");
        var result = await sender.SendAsync(request, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal((0, false), (result.Status, result.IsSuccess));
        Assert.Contains("not public", result.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"type\":\"mail\",\"pattern\":\"alice/*\"}")]
    [InlineData("{\"type\":\"webhook\",\"pattern\":\"alice/*\"}")]
    [InlineData("{\"type\":\"webhook\",\"pattern\":\"alice/a*\",\"webhook\":{\"url\":\"https://example.com\"}}")]
    [InlineData("{\"type\":\"webhook\",\"webhook\":{\"url\":\"https://example.com\"}}")]
    [InlineData("{\"type\":\"pull-wake\",\"pattern\":\"alice/*\"}")]
    [InlineData("{\"type\":\"pull-wake\",\"pattern\":\"alice/*\",\"wake_stream\":\"alice/w\",\"lease_ttl_ms\":999}")]
    [InlineData("{\"type\":\"pull-wake\",\"streams\":[\"__ds/x\"],\"wake_stream\":\"alice/w\"}")]
    [InlineData("{\"type\":\"pull-wake\",\"streams\":[null],\"wake_stream\":\"alice/w\"}")]
    public async Task An_invalid_body_is_refused_with_the_reason(string body)
    {
        await using var host = await StreamHost.StartAsync();
        var refused = (await host.SendAsync("PUT", "/streams/__ds/subscriptions/s", body, type: "application/json")).Is(400);
        Assert.Equal("INVALID_REQUEST", refused.Code());
        Assert.NotEmpty(refused.Json().GetProperty("error").GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Subscriptions_of_a_user_are_limited()
    {
        await using var host = await StreamHost.StartAsync(options => options.MaxSubscriptionsPerUser = 1);
        (await host.SubscribeAsync("s", Hook)).Is(201);
        var refused = await host.SubscribeAsync("t", Hook);
        Assert.Equal("limit_reached", refused.Json().GetProperty("code").GetString());
        (await host.SendAsync("DELETE", "/streams/__ds/subscriptions/s")).Is(204);
        (await host.SubscribeAsync("t", Hook)).Is(201);
    }

    [Fact]
    public async Task Requests_of_a_deleted_subscription_fail()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StreamHost.StartAsync(options => options.WebhookNetworks.Add("127.0.0.0/8"));
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        var wake = await receiver.NextAsync(host);
        (await host.SendAsync("DELETE", "/streams/__ds/subscriptions/s")).Is(204);
        var ack = () => SubscriptionCalls.Ack(wake.Id, wake.Generation, true, ("alice/a", tail));
        Assert.Equal("SUBSCRIPTION_NOT_FOUND", (await host.CallAsync("s", "callback", ack(), wake.Token)).Is(404).Code());
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        Assert.Equal("TOKEN_INVALID", (await host.CallAsync("s", "callback", ack(), wake.Token)).Is(401).Code());
    }

    [Fact]
    public async Task Other_settings_for_the_same_id_are_a_conflict()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SubscribeAsync("s", Hook)).Is(201);
        (await host.SubscribeAsync("s", Hook)).Is(200);
        Assert.Equal("SUBSCRIPTION_ALREADY_EXISTS", (await host.SubscribeAsync("s", Hook, "alice/*")).Is(409).Code());
    }
}
