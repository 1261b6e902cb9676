using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Webhooks;

/// <summary>Deliveries of webhooks: order, retries, dead letters, limits and faults of receivers.</summary>
public sealed class WebhookDeliveryTests
{
    [Fact]
    public async Task All_events_arrive_in_order_after_an_hour_without_receiver()
    {
        await using var host = await WebhookHost.StartAsync();
        var secret = await host.CreateAsync();
        var isDown = true;
        host.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = Volatile.Read(ref isDown) ? 503 : 200;
            return Task.CompletedTask;
        };
        var began = host.Time.GetUtcNow();
        for (var i = 1; i <= 15; i++)
            await host.Host.PublishAsync($"orders/{i % 3}", i);
        await host.NextUntilAsync(() => Task.FromResult(host.Time.GetUtcNow() - began >= TimeSpan.FromHours(1)));
        Assert.Empty(host.Receiver.Accepted);
        Assert.NotEqual(JsonValueKind.Null, (await host.GetAsync()).GetProperty("failingSince").ValueKind);
        Assert.NotEqual("", (await host.GetAsync()).GetProperty("fault").GetString());
        Volatile.Write(ref isDown, false);
        await host.NextUntilAsync(async () => (await host.GetAsync()) is var w && Int(w, "waiting") == 0 && Int(w, "lag") == 0);
        foreach (var topic in host.Receiver.Accepted.GroupBy(static message => message.Topic))
        {
            var numbers = topic.Select(static message => message.Number).ToList();
            Assert.Equal(numbers.Order(), numbers);
        }
        // The claim ends in a long step of time, so a message can arrive twice.
        Assert.Equal(Enumerable.Range(1, 15), host.Receiver.Accepted.Select(static message => message.Number).Distinct().Order());
        Assert.All(host.Receiver.Accepted, message => Assert.True(message.IsSignedBy(secret)));
        Assert.Equal(15, host.Receiver.All.Select(static message => message.Id).Distinct().Count());
        Assert.True(host.Receiver.All.Count > 15);
        Assert.Equal(JsonValueKind.Null, (await host.GetAsync()).GetProperty("failingSince").ValueKind);
        Assert.Equal(JsonValueKind.Null, (await host.GetAsync()).GetProperty("fault").ValueKind);
    }

    [Fact]
    public async Task A_failing_topic_delays_no_other_topic()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync(more: new { types = new[] { "order.*" } });
        host.Receiver.Answer = (context, message) =>
        {
            context.Response.StatusCode = message.Topic == "orders/bad" ? 500 : 200;
            return Task.CompletedTask;
        };
        await host.Host.PublishAsync("orders/bad", 1, type: "order.placed");
        await host.Host.PublishAsync("orders/bad", 2, type: "order.placed");
        await host.Host.PublishAsync("orders/good", 3, type: "order.placed");
        await host.Host.PublishAsync("orders/good", 4, type: "invoice.sent");
        await host.Host.PublishAsync("orders/good", 5, type: "order.paid");
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 2);
        Assert.Equal([3, 5], host.Receiver.Accepted.Select(static message => message.Number));
        await host.NextAsync();
        await WebhookHost.UntilAsync(() => host.Receiver.All.Count == 4);
        Assert.Equal([1, 1], host.Receiver.All.Where(static m => m.Topic == "orders/bad").Select(static m => m.Number));
        Assert.Equal(2, Int(await host.GetAsync(), "waiting"));
    }

    [Fact]
    public async Task A_dead_delivery_frees_its_topic_and_can_be_redriven()
    {
        await using var host = await WebhookHost.StartAsync(options => options.RetryDelays.Add(TimeSpan.FromSeconds(1)));
        await host.CreateAsync();
        var isMended = false;
        host.Receiver.Answer = (context, message) =>
        {
            context.Response.StatusCode = message.Number == 1 && !Volatile.Read(ref isMended) ? 500 : 200;
            return Task.CompletedTask;
        };
        await host.Host.PublishAsync("orders/1", 1);
        await host.Host.PublishAsync("orders/1", 2);
        await host.NextUntilAsync(async () => Int(await host.GetAsync(), "dead") == 1);
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 1);
        Assert.Equal(2, host.Receiver.Accepted.Single().Number);
        var dead = Assert.Single(await host.DeliveriesAsync("dead"));
        Assert.Equal((2, "status 500"), (Int(dead, "attempts"), dead.GetProperty("fault").GetString()));
        Assert.Contains("webhook.dead", await NoticesAsync(host));
        Volatile.Write(ref isMended, true);
        Assert.Equal(0, Int(await host.PostAsync("w/redrive", new { messages = new[] { "msg_unknown" } }), "redriven"));
        Assert.Equal(0, Int(await host.PostAsync("w/redrive", new { from = host.Time.GetUtcNow() + TimeSpan.FromDays(1) }), "redriven"));
        var message = dead.GetProperty("message").GetString();
        Assert.Equal(1, Int(await host.PostAsync("w/redrive", new { messages = new[] { message } }), "redriven"));
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 2);
        Assert.Equal(message, host.Receiver.Accepted.Last().Id);
        await WebhookHost.UntilAsync(async () => Int(await host.GetAsync(), "waiting") == 0);
        Assert.Empty(await host.DeliveriesAsync("dead"));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_disabled_until_it_is_resumed()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        host.Receiver.Answer = (context, message) =>
        {
            context.Response.StatusCode = message.Path == "/hook" ? 410 : 200;
            return Task.CompletedTask;
        };
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(async () => (await host.GetAsync()).GetProperty("state").GetString() == "disabled");
        Assert.Equal("The receiver answered 410 Gone.", (await host.GetAsync()).GetProperty("reason").GetString());
        Assert.Contains("webhook.disabled", await NoticesAsync(host));
        await host.Host.PublishAsync("orders/1", 2);
        using var moved = await host.Admin.PatchAsync(
            "/dunlin/v1/webhooks/w",
            HttpAssert.Json($$"""{"url":"{{new Uri(host.Receiver.Address, "/new")}}"}""")
        );
        Assert.True(moved.IsSuccessStatusCode);
        await host.PostAsync("w/resume");
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 2);
        Assert.Equal([1, 2], host.Receiver.Accepted.Select(static message => message.Number));
    }

    [Fact]
    public async Task An_endpoint_that_fails_for_too_long_is_disabled_with_a_notice()
    {
        await using var host = await WebhookHost.StartAsync(options => options.DisableAfter = TimeSpan.FromHours(2));
        await host.CreateAsync();
        host.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await host.Host.PublishAsync("orders/1", 1);
        await host.NextUntilAsync(async () => (await host.GetAsync()).GetProperty("state").GetString() == "disabled");
        Assert.Contains("status 500", (await host.GetAsync()).GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, Int(await host.GetAsync(), "waiting"));
        Assert.Contains("webhook.disabled", await NoticesAsync(host));
    }

    [Fact]
    public async Task Retry_After_of_a_busy_receiver_is_honoured()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        host.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "86000";
            return Task.CompletedTask;
        };
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(async () => (await host.DeliveriesAsync("waiting")) is [var one] && Int(one, "attempts") == 1);
        var at = (await host.DeliveriesAsync("waiting"))[0].GetProperty("at").GetDateTimeOffset();
        Assert.InRange(at - host.Time.GetUtcNow(), TimeSpan.FromSeconds(85_000), TimeSpan.FromSeconds(86_001));
    }

    [Fact]
    public async Task The_cursor_waits_while_too_many_deliveries_wait()
    {
        await using var host = await WebhookHost.StartAsync(options => options.MaxWaiting = 2);
        await host.CreateAsync();
        var isDown = true;
        host.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = Volatile.Read(ref isDown) ? 500 : 200;
            return Task.CompletedTask;
        };
        for (var i = 1; i <= 6; i++)
            await host.Host.PublishAsync("orders/1", i);
        await WebhookHost.UntilAsync(async () => Int(await host.GetAsync(), "waiting") == 2);
        await host.NextAsync();
        Assert.Equal(2, Int(await host.GetAsync(), "waiting"));
        Assert.True(Int(await host.GetAsync(), "lag") >= 4);
        Volatile.Write(ref isDown, false);
        await host.NextUntilAsync(() => Task.FromResult(host.Receiver.Accepted.Count == 6));
        Assert.Equal([1, 2, 3, 4, 5, 6], host.Receiver.Accepted.Select(static message => message.Number));
    }

    [Fact]
    public async Task A_limit_of_one_request_at_a_time_holds()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync(more: new { maxConcurrent = 1 });
        var (open, most) = (0, 0);
        host.Receiver.Answer = async (_, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref open));
            await Task.Yield();
            Interlocked.Decrement(ref open);
        };
        for (var i = 1; i <= 8; i++)
            await host.Host.PublishAsync($"orders/{i}", i);
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 8);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task A_rate_limit_spaces_the_attempts()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync(more: new { maxPerSecond = 1 });
        for (var i = 1; i <= 3; i++)
            await host.Host.PublishAsync($"orders/{i}", i);
        for (var sent = 1; sent <= 3; sent++)
        {
            await WebhookHost.UntilAsync(() => host.Receiver.All.Count == sent);
            await WebhookHost.UntilAsync(async () => Int(await host.GetAsync(), "waiting") == 3 - sent);
            Assert.Equal(sent, host.Receiver.All.Count);
            host.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task Redirects_are_failures_and_long_answers_are_cut()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        host.Receiver.Answer = async (context, message) =>
        {
            if (message.Number == 1)
            {
                context.Response.Redirect("/other");
                return;
            }
            var part = new byte[64 * 1024];
            for (var i = 0; i < 100 && !context.RequestAborted.IsCancellationRequested; i++)
                await context.Response.Body.WriteAsync(part, CancellationToken.None);
        };
        await host.Host.PublishAsync("orders/1", 1);
        await host.Host.PublishAsync("orders/2", 2);
        await WebhookHost.UntilAsync(async () => (await host.DeliveriesAsync("waiting")) is [var one] && Int(one, "attempts") == 1);
        Assert.Equal("status 302", (await host.DeliveriesAsync("waiting"))[0].GetProperty("fault").GetString());
        Assert.DoesNotContain(host.Receiver.All, static message => message.Path == "/other");
    }

    [Fact]
    public async Task A_receiver_that_never_answers_times_out()
    {
        await using var host = await WebhookHost.StartAsync();
        await host.CreateAsync();
        host.Receiver.Answer = async (context, _) =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(() => !host.Receiver.All.IsEmpty);
        host.Time.Advance(TimeSpan.FromSeconds(15));
        await WebhookHost.UntilAsync(async () => (await host.DeliveriesAsync("waiting")) is [var one] && Int(one, "attempts") == 1);
        Assert.Equal("no answer within 15 s", (await host.DeliveriesAsync("waiting"))[0].GetProperty("fault").GetString());
    }

    [Fact]
    public async Task Events_that_retention_removed_during_a_pause_are_a_gap()
    {
        await using var host = await WebhookHost.StartAsync(services: static services =>
            services.Configure<RetentionOptions>(static retention => retention.Prefixes["orders"] = new RetentionRule { MaxCount = 2 })
        );
        await host.CreateAsync();
        await host.Host.PublishAsync("orders/1", 1);
        await WebhookHost.UntilAsync(async () => Int(await host.GetAsync(), "waiting") == 0 && host.Receiver.Accepted.Count == 1);
        await host.PostAsync("w/pause");
        var after = (await host.GetAsync()).GetProperty("position").GetString();
        for (var i = 2; i <= 6; i++)
            await host.Host.PublishAsync("orders/1", i);
        await host.Host.Journal.TrimAsync(TestContext.Current.CancellationToken);
        await host.PostAsync("w/resume");
        await WebhookHost.UntilAsync(() => host.Receiver.Accepted.Count == 3);
        Assert.Equal([1, 5, 6], host.Receiver.Accepted.Select(static message => message.Number));
        var notice = Assert.Single(await ReadNoticesAsync(host), static notice => notice.Type == "webhook.gap");
        using var data = JsonDocument.Parse(notice.Data);
        Assert.Equal("w", data.RootElement.GetProperty("id").GetString());
        Assert.StartsWith(
            $"Retention removed events between {after} and ",
            data.RootElement.GetProperty("reason").GetString(),
            StringComparison.Ordinal
        );
    }

    private static int Int(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private static async Task<IReadOnlyList<string>> NoticesAsync(WebhookHost host) =>
        [.. (await ReadNoticesAsync(host)).Select(static notice => notice.Type)];

    private static async Task<IReadOnlyList<DunlinEvent>> ReadNoticesAsync(WebhookHost host)
    {
        var query = new JournalQuery(0, [TopicName.Parse("dunlin/webhooks")], 100);
        return (await host.Host.Journal.ReadAsync(query, TestContext.Current.CancellationToken)).Events;
    }
}
