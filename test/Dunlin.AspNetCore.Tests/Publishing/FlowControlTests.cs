using System.Globalization;
using System.Net;
using Dunlin.Fanout;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Publishing;

public sealed class FlowControlTests
{
    private const string Events = "/dunlin/v1/events";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_request_beyond_the_bound_gets_429_and_is_stored_once_later()
    {
        await using var host = await StartAsync(TimeSpan.Zero);
        using var ann = host.Client();
        using (await LagAsync(host))
        {
            using var refused = await SendAsync(ann, "once");
            await HttpAssert.ProblemAsync(refused, 429, "too_many_requests");
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
            Assert.DoesNotContain(await host.StoredAsync(), static data => data == "\"once\"");
        }
        await host.Fanout.SettledAsync();
        using var first = await SendAsync(ann, "once");
        using var again = await SendAsync(ann, "once");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Single(await host.StoredAsync(), static data => data == "\"once\"");
    }

    [Fact]
    public async Task A_request_waits_for_delivery_and_is_then_answered()
    {
        await using var host = await StartAsync(TimeSpan.FromSeconds(30));
        using var ann = host.Client();
        Task<HttpResponseMessage> waiting;
        using (await LagAsync(host))
        {
            waiting = SendAsync(ann, "late");
            await WaitersAsync(host, 1);
            Assert.False(waiting.IsCompleted);
        }
        using var answer = await waiting.WaitAsync(Deadline);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(0, host.Fanout.Flow.Waiting);
    }

    [Fact]
    public async Task A_publisher_that_disconnects_while_waiting_stores_nothing()
    {
        await using var host = await StartAsync(TimeSpan.FromSeconds(30));
        using var ann = host.Client();
        using (await LagAsync(host))
        {
            using var gone = new CancellationTokenSource();
            var waiting = SendAsync(ann, "gone", gone.Token);
            await WaitersAsync(host, 1);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            await WaitersAsync(host, 0);
        }
        await host.Fanout.SettledAsync();
        Assert.DoesNotContain(await host.StoredAsync(), static data => data == "\"gone\"");
    }

    [Fact]
    public async Task Without_a_target_publishing_never_waits()
    {
        await using var host = await StartAsync(TimeSpan.Zero, TimeSpan.Zero);
        using var ann = host.Client();
        using (await LagAsync(host))
        {
            using var answer = await SendAsync(ann, "now");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private static Task<EngineHost> StartAsync(TimeSpan wait, TimeSpan? target = null) =>
        EngineHost.StartAsync(services =>
            services.Configure<FanoutOptions>(o =>
                (o.Shards, o.MaxPublishWait, o.LagTarget) = (1, wait, target ?? TimeSpan.FromMilliseconds(100))
            )
        );

    /// <summary>Holds back the shard, with as many undelivered events as are always admitted.</summary>
    private static async Task<HeldShard> LagAsync(EngineHost host)
    {
        var shard = await HeldShard.BeginAsync(host.Fanout, host.Journal);
        for (var i = 1; i < FlowControl.AlwaysAdmitted; i++)
            await host.PublishAsync("other", i);
        host.Time.Advance(TimeSpan.FromMilliseconds(200));
        return shard;
    }

    private static async Task WaitersAsync(EngineHost host, int count)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (host.Fanout.Flow.Waiting != count)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string value, CancellationToken cancellation = default)
    {
        var body = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"topic":"a","type":"x","data":"{{value}}","idempotencyKey":"{{value}}"}"""
        );
        return await client.PostAsync(Events, HttpAssert.Json(body), cancellation);
    }
}

file static class Stored
{
    /// <summary>Returns the data of all stored events.</summary>
    public static async Task<IReadOnlyList<string>> StoredAsync(this EngineHost host) =>
        [
            .. (await host.Journal.ReadAsync(new Dunlin.Journal.JournalQuery(0, null), default)).Events.Select(static entry =>
                System.Text.Encoding.UTF8.GetString(entry.Data.Span)
            ),
        ];
}
