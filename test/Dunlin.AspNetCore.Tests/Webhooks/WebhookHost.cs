using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Webhooks;

/// <summary>A host with webhooks on manual time, and a receiver.</summary>
internal sealed class WebhookHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private WebhookHost(EngineHost host, WebhookReceiver receiver)
    {
        (Host, Receiver) = (host, receiver);
        Admin = host.Client("admin");
    }

    public EngineHost Host { get; }

    public WebhookReceiver Receiver { get; }

    public HttpClient Admin { get; }

    public ManualTime Time => Host.Time;

    public static async Task<WebhookHost> StartAsync(Action<WebhookOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        var receiver = await WebhookReceiver.StartAsync();
        var host = await EngineHost.StartAsync(
            services,
            engine: dunlin =>
                dunlin.AddWebhooks(options =>
                {
                    options.Networks.Add("127.0.0.0/8");
                    // Longer than a test advances time at once, so that a slow machine loses no claim.
                    options.ClaimDuration = TimeSpan.FromHours(1);
                    configure?.Invoke(options);
                }),
            map: app => app.MapDunlinWebhooks()
        );
        receiver.Clock = host.Time;
        return new WebhookHost(host, receiver);
    }

    /// <summary>Creates an endpoint, and returns its secret.</summary>
    public async Task<string> CreateAsync(string id = "w", object? more = null, string? url = null)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        body["id"] = id;
        body["url"] = url ?? Receiver.Url;
        body["patterns"] ??= new System.Text.Json.Nodes.JsonArray("orders/**");
        using var answer = await Admin.PostAsJsonAsync("/dunlin/v1/webhooks", body);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString()!;
    }

    public Task<JsonElement> GetAsync(string id = "w") => Admin.GetFromJsonAsync<JsonElement>($"/dunlin/v1/webhooks/{id}");

    public async Task<JsonElement> PostAsync(string path, object? body = null)
    {
        using var answer = await Admin.PostAsJsonAsync($"/dunlin/v1/webhooks/{path}", body ?? new { });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async Task<List<JsonElement>> DeliveriesAsync(string state, string id = "w") =>
        [
            .. (await Admin.GetFromJsonAsync<JsonElement>($"/dunlin/v1/webhooks/{id}/deliveries?state={state}"))
                .GetProperty("deliveries")
                .EnumerateArray(),
        ];

    /// <summary>Waits until no attempt is due, then advances time to the next one.</summary>
    public async Task NextAsync(string id = "w")
    {
        DateTimeOffset? next = null;
        await UntilAsync(async () => (next = await NextDueAsync(id)) is not { } due || due > Time.GetUtcNow());
        if (next is { } time)
            Time.Advance(time - Time.GetUtcNow() + TimeSpan.FromMilliseconds(1));
    }

    /// <summary>Advances time from attempt to attempt until a condition holds.</summary>
    public async Task NextUntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await NextAsync();
        }
    }

    /// <summary>Waits until a condition holds, without advancing time.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, limit.Token);
    }

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>Only the first delivery of a topic can be due.</summary>
    private async Task<DateTimeOffset?> NextDueAsync(string id) =>
        (await DeliveriesAsync("waiting", id))
            .GroupBy(static delivery => delivery.GetProperty("topic").GetString())
            .Select(static topic => (DateTimeOffset?)topic.First().GetProperty("at").GetDateTimeOffset())
            .Min();

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await Host.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
