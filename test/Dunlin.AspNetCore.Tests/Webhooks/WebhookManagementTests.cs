using System.Net;
using System.Text.Json;
using Dunlin.Outbound;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Webhooks;

/// <summary>The management of webhooks over HTTP: rights, wrong input, secrets and states.</summary>
public sealed class WebhookManagementTests
{
    private const string Path = "/dunlin/v1/webhooks";

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("ann", HttpStatusCode.Forbidden)]
    public async Task Callers_without_the_role_are_refused(string? user, HttpStatusCode status)
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        using var client = host.Host.Client(user);
        foreach (
            var (method, path) in ((HttpMethod, string)[])
                [
                    (HttpMethod.Get, ""),
                    (HttpMethod.Post, ""),
                    (HttpMethod.Get, "/w"),
                    (HttpMethod.Patch, "/w"),
                    (HttpMethod.Delete, "/w"),
                    (HttpMethod.Post, "/w/pause"),
                    (HttpMethod.Post, "/w/resume"),
                    (HttpMethod.Post, "/w/rotate"),
                    (HttpMethod.Post, "/w/test"),
                    (HttpMethod.Post, "/w/redrive"),
                    (HttpMethod.Get, "/w/deliveries"),
                ]
        )
        {
            using var request = new HttpRequestMessage(method, Path + path);
            if (method != HttpMethod.Get)
                request.Content = HttpAssert.Json("{}");
            using var answer = await client.SendAsync(request);
            Assert.Equal((path, status), (path, answer.StatusCode));
        }
        Assert.Equal("active", (await host.GetAsync()).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("""{"patterns":["a"]}""", "url")]
    [InlineData("""{"url":"http://example.com/x","patterns":["a"]}""", "url")]
    [InlineData("""{"url":"https://10.0.0.1/x","patterns":["a"]}""", "url")]
    [InlineData("""{"url":"https://localhost.localdomain/x","patterns":["a"]}""", "url")]
    [InlineData("""{"url":"https://example.com/x","patterns":[]}""", "patterns")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a/**/b"]}""", "patterns")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"id":"a/b"}""", "id")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"types":["a*b"]}""", "types")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"types":[""]}""", "types")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"maxConcurrent":0}""", "maxConcurrent")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"maxPerSecond":-1}""", "maxPerSecond")]
    [InlineData("""{"url":"https://example.com/x","patterns":["a"],"colour":"red"}""", "colour")]
    public async Task Wrong_settings_are_refused_with_their_field(string body, string field)
    {
        await using var host = await WebhookHost.StartAsync();
        using var answer = await host.Admin.PostAsync(Path, HttpAssert.Json(body));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(field, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await ListAsync(host)).GetArrayLength());
    }

    [Fact]
    public async Task Unknown_and_repeated_ids_are_refused()
    {
        await using var host = await WebhookHost.StartAsync(options => options.MaxEndpoints = 1);
        await host.CreateAsync();
        using var unknown = await host.Admin.PostAsync(Path + "/other/pause", HttpAssert.Json("{}"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var state = await host.Admin.GetAsync(Path + "/w/deliveries?state=lost");
        Assert.Equal(HttpStatusCode.BadRequest, state.StatusCode);
        using var again = await host.Admin.PostAsync(
            Path,
            HttpAssert.Json($$"""{"id":"w","url":"{{host.Receiver.Url}}","patterns":["a"]}""")
        );
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        using var second = await host.Admin.PostAsync(Path, HttpAssert.Json($$"""{"url":"{{host.Receiver.Url}}","patterns":["a"]}"""));
        Assert.False(second.IsSuccessStatusCode);
        Assert.Contains("limit_reached", await second.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_secrets_sign_during_a_rotation()
    {
        await using var host = await WebhookHost.StartAsync();
        var former = await host.CreateAsync();
        var current = (await host.PostAsync("w/rotate")).GetProperty("secret").GetString()!;
        Assert.False((await host.GetAsync()).TryGetProperty("secret", out _));
        // A request that began before the rotation has the former signature only, and may arrive after it.
        var number = 0;
        await WebhookHost.UntilAsync(async () =>
        {
            await host.Host.PublishAsync("orders/1", ++number);
            return host.Receiver.Accepted.Any(message => message.IsSignedBy(former) && message.IsSignedBy(current));
        });
        // No attempt may run while time jumps: it would fail and be due later.
        await WebhookHost.UntilAsync(async () =>
            (await host.GetAsync()) is var webhook
            && webhook.GetProperty("waiting").GetInt32() == 0
            && webhook.GetProperty("lag").GetInt32() == 0
        );
        host.Time.Advance(TimeSpan.FromDays(1));
        await host.Host.PublishAsync("orders/1", ++number);
        await host.NextUntilAsync(() => Task.FromResult(host.Receiver.Accepted.Any(message => message.Number == number)));
        var one = host.Receiver.Accepted.Last(message => message.Number == number);
        Assert.False(one.IsSignedBy(former));
        Assert.True(one.IsSignedBy(current));
    }

    [Fact]
    public async Task A_paused_endpoint_gets_its_events_when_it_is_resumed()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        Assert.Equal("paused", (await host.PostAsync("w/pause")).GetProperty("state").GetString());
        await host.Host.PublishAsync("orders/1", 1);
        var test = await host.PostAsync("w/test");
        Assert.True(test.GetProperty("delivered").GetBoolean());
        Assert.Equal("webhook.test", host.Receiver.All.Single().Json.GetProperty("type").GetString());
        await host.PostAsync("w/resume");
        await WebhookHost.UntilAsync(() => host.Receiver.All.Count == 2);
        Assert.Equal(1, host.Receiver.All.Last().Number);
    }

    [Fact]
    public async Task A_removed_endpoint_leaves_no_cursor()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 1);
        using var removed = await host.Admin.DeleteAsync(Path + "/w");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal(0, (await ListAsync(host)).GetArrayLength());
        var groups = host.Host.Services.GetRequiredService<Dunlin.Consumers.EventConsumers>();
        await WebhookHost.UntilAsync(async () => (await groups.ListAsync(TestContext.Current.CancellationToken)).Count == 0);
        // The id can be used again, and the new endpoint has no events of the former one.
        await host.CreateAsync();
        await host.Host.PublishAsync("orders/1", 2);
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 2);
        Assert.Equal([1, 2], host.Receiver.Accepted.Select(static message => message.Number));
    }

    [Fact]
    public async Task A_name_that_resolves_to_a_private_address_is_refused_at_the_connection()
    {
        var asked = 0;
        OutboundLookup lookup = (_, _) =>
            Task.FromResult<IPAddress[]>(
                Interlocked.Increment(ref asked) == 1 ? [IPAddress.Parse("10.0.0.1")] : [IPAddress.Parse("169.254.169.254")]
            );
        await using var host = await WebhookHost.StartAsync(services: services => services.AddSingleton(lookup));
        await host.CreateAsync(url: "https://hook.example.com/x");
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(async () => await AttemptsAsync(host) == 1);
        await host.NextAsync();
        await WebhookHost.UntilAsync(async () => await AttemptsAsync(host) == 2);
        Assert.Contains(
            "not public",
            (await host.DeliveriesAsync("waiting"))[0].GetProperty("fault").GetString(),
            StringComparison.Ordinal
        );
        Assert.Empty(host.Receiver.All);
    }

    private static async Task<int> AttemptsAsync(WebhookHost host) =>
        (await host.DeliveriesAsync("waiting")) is [var one] ? one.GetProperty("attempts").GetInt32() : 0;

    private static async Task<JsonElement> ListAsync(WebhookHost host) =>
        JsonDocument.Parse(await host.Admin.GetStringAsync(Path)).RootElement.GetProperty("webhooks");
}
