using System.Net;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Streams;

public sealed class StreamTests
{
    [Fact]
    public async Task A_stream_starts_at_once_with_headers_comment_and_hello()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a");
        Assert.Equal("text/event-stream; charset=utf-8", reader.Response.Content.Headers.ContentType!.ToString());
        Assert.Equal(["no-cache", "no-store", "no-transform"], reader.Response.Headers.CacheControl!.ToString().Split(", ").Order());
        Assert.Equal("no", reader.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Empty(reader.Response.Content.Headers.ContentEncoding);
        var hello = await reader.NextAsync();
        Assert.Equal("dunlin.hello", hello.EventType);
        var json = JsonDocument.Parse(hello.Data).RootElement;
        Assert.Equal(reader.ConnectionId, json.GetProperty("connectionId").GetString());
        Assert.Equal(hello.EventId, json.GetProperty("position").GetString());
        Assert.Equal("ann", json.GetProperty("user").GetProperty("id").GetString());
    }

    [Fact]
    public async Task G2_A_resumed_stream_continues_after_its_last_event()
    {
        await using var host = await EngineHost.StartAsync();
        string last;
        await using (var reader = await host.OpenAsync("/dunlin/v1/events?topic=a"))
        {
            await reader.NextAsync();
            await host.PublishAsync("a", 1);
            await host.PublishAsync("a", 2);
            last = (await reader.NextAsync(2))[^1].EventId!;
        }
        await host.PublishAsync("a", 3);
        await host.PublishAsync("b", "other");
        await using var byHeader = await host.OpenAsync("/dunlin/v1/events?topic=a", lastEventId: last);
        await using var byQuery = await host.OpenAsync($"/dunlin/v1/events?topic=a&lastEventId={last}");
        var position = await host.PublishAsync("a", 4);
        foreach (var resumed in new[] { byHeader, byQuery })
        {
            Assert.Equal("dunlin.hello", (await resumed.NextAsync()).EventType);
            Assert.Equal("3", (await resumed.NextAsync()).Data);
            var live = await resumed.NextAsync();
            Assert.Equal((position, "4"), (live.EventId, live.Data));
        }
    }

    [Fact]
    public async Task G2_A_stream_without_events_resumes_from_its_hello()
    {
        await using var host = await EngineHost.StartAsync();
        await host.PublishAsync("a", "before");
        string position;
        await using (var reader = await host.OpenAsync("/dunlin/v1/events?topic=a"))
            position = (await reader.NextAsync()).EventId!;
        await host.PublishAsync("a", "between");
        await using var resumed = await host.OpenAsync("/dunlin/v1/events?topic=a", lastEventId: position);
        await resumed.NextAsync();
        Assert.Equal("\"between\"", (await resumed.NextAsync()).Data);
    }

    [Fact]
    public async Task G2_A_position_of_another_epoch_gets_a_reset()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a", lastEventId: "00000001-5");
        var reset = await reader.NextAsync();
        Assert.Equal("dunlin.reset", reset.EventType);
        Assert.Equal("epoch", JsonDocument.Parse(reset.Data).RootElement.GetProperty("reason").GetString());
        Assert.Equal(host.Journal.Head.ToString(), reset.EventId);
    }

    [Fact]
    public async Task G1_An_event_is_delivered_on_commit_and_not_after_a_rollback()
    {
        await using var host = await EngineHost.StartAsync();
        var store = host.Services.GetRequiredService<IStore>();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a");
        await reader.NextAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.AppendAsync(EventDraft.Of(TopicName.Parse("a"), "e", "never"), ct);
                    throw new InvalidOperationException("on purpose");
                }
            )
        );
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.AppendAsync(EventDraft.Of(TopicName.Parse("a"), "e", "committed"), ct);
            }
        );
        Assert.Equal("\"committed\"", (await reader.NextAsync()).Data);
    }

    [Theory]
    [InlineData("", 400, "invalid_field")]
    [InlineData("?topic=", 400, "invalid_topic")]
    [InlineData("?topic=a%20b", 400, "invalid_topic")]
    [InlineData("?topic=a&topic=secret", 403, "forbidden")]
    [InlineData("?topic=a&device=a%20b", 400, "invalid_field")]
    [InlineData("?topic=a&echo=maybe", 400, "invalid_field")]
    [InlineData("?topic=a&access_token=abc", 400, "invalid_field")]
    public async Task An_invalid_stream_request_is_refused_as_a_problem_first(string query, int status, string code)
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/events" + query, HttpCompletionOption.ResponseHeadersRead);
        var problem = await HttpAssert.ProblemAsync(response, status, code);
        if (code == "forbidden")
            Assert.Contains("'secret'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task More_than_64_topics_or_no_sign_in_is_refused()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        var many = string.Join('&', Enumerable.Range(0, 65).Select(i => $"topic=t{i}"));
        await HttpAssert.ProblemAsync(await client.GetAsync("/dunlin/v1/events?" + many), 400, "too_many_topics");
        using var nobody = host.Client(null);
        await HttpAssert.ProblemAsync(await nobody.GetAsync("/dunlin/v1/events?topic=a"), 401, "not_signed_in");
    }

    [Fact]
    public async Task A_stream_limit_refuses_the_new_stream_and_evicts_none()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(o => (o.MaxPerUser, o.MaxPerAddress) = (2, 3))
        );
        await using var first = await host.OpenAsync("/dunlin/v1/events?topic=a");
        var second = await host.OpenAsync("/dunlin/v1/events?topic=a");
        using var ann = host.Client();
        using var refused = await ann.GetAsync("/dunlin/v1/events?topic=a");
        await HttpAssert.ProblemAsync(refused, 429, "too_many_connections");
        Assert.Equal("30", refused.Headers.GetValues("Retry-After").Single());
        await using var bob = await host.OpenAsync("/dunlin/v1/events?topic=a", "bob");
        using var cat = host.Client("cat");
        await HttpAssert.ProblemAsync(await cat.GetAsync("/dunlin/v1/events?topic=a"), 429, "too_many_connections");
        await first.NextAsync();
        await host.PublishAsync("a", 1);
        Assert.Equal("1", (await first.NextAsync()).Data);
        // A released slot can be used again.
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Fanout.Closed.Subscribe(_ => closed.TrySetResult());
        await second.DisposeAsync();
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        HttpStatusCode status;
        do
        {
            // The slot is released shortly after the connection closed.
            using var again = await ann.GetAsync("/dunlin/v1/events?topic=a", HttpCompletionOption.ResponseHeadersRead);
            status = again.StatusCode;
        } while (status == HttpStatusCode.TooManyRequests);
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task G4_A_revoked_permission_closes_the_open_stream_at_once()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a");
        await reader.NextAsync();
        host.Refused.Add("a");
        host.Services.GetRequiredService<AccessChanges>().RightsChanged("ann");
        var goodbye = await reader.UntilAsync("dunlin.goodbye");
        Assert.Equal("revoked", JsonDocument.Parse(goodbye.Data).RootElement.GetProperty("reason").GetString());
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task G4_An_ended_session_closes_its_streams_and_releases_its_leases()
    {
        await using var host = await EngineHost.StartAsync();
        await using var mine = await host.OpenAsync("/dunlin/v1/events?topic=a", "ann:s1");
        await using var watcher = await host.OpenAsync("/dunlin/v1/events?topic=leases/files", "bob:s2");
        using var ann = host.Client("ann:s1");
        using var held = await ann.PutAsync("/dunlin/v1/leases/files/1", HttpAssert.Json("""{"leaseId":"lease-id-of-ann"}"""));
        Assert.Equal(HttpStatusCode.Created, held.StatusCode);
        host.Services.GetRequiredService<AccessChanges>().SessionEnded("ann", "s1", "signed_out");
        Assert.Contains("signedOut", (await mine.UntilAsync("dunlin.goodbye")).Data, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"signedOut\"", (await watcher.UntilAsync("lease.released")).Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_events_are_delivered_and_echo_false_excludes_the_connection()
    {
        await using var host = await EngineHost.StartAsync();
        await using var quiet = await host.OpenAsync("/dunlin/v1/events?topic=a&echo=false");
        await using var other = await host.OpenAsync("/dunlin/v1/events?topic=a&echo=false");
        await using var echo = await host.OpenAsync("/dunlin/v1/events?topic=a");
        foreach (var reader in new[] { quiet, other, echo })
            await reader.NextAsync();
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Dunlin-Connection", quiet.ConnectionId);
        using var sent = await client.PostAsync("/dunlin/v1/events", HttpAssert.Json("""{"topic":"a","type":"e","data":"own"}"""));
        sent.EnsureSuccessStatusCode();
        await host.PublishAsync("a", "end");
        Assert.Equal("\"end\"", (await quiet.NextAsync()).Data);
        Assert.Equal("\"own\"", (await other.NextAsync()).Data);
        Assert.Equal("\"own\"", (await echo.NextAsync()).Data);
    }

    [Fact]
    public async Task An_idle_stream_carries_comments_only()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/events?topic=a", HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[4096];
        // The stream is live: it has received an event, and its shard has released it.
        await host.PublishAsync("a", "live");
        for (var text = ""; !text.Contains("live", StringComparison.Ordinal) || !text.EndsWith("\n\n", StringComparison.Ordinal); )
            text += System.Text.Encoding.UTF8.GetString(
                buffer,
                0,
                await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20))
            );
        await host.Fanout.SettledAsync();
        host.Time.Advance(TimeSpan.FromSeconds(17));
        var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(":\n\n", System.Text.Encoding.UTF8.GetString(buffer, 0, read));
    }

    [Fact]
    public async Task A_stopping_host_sends_a_goodbye_and_refuses_new_streams()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a");
        await reader.NextAsync();
        var stopping = host.StopAsync();
        var goodbye = JsonDocument.Parse((await reader.UntilAsync("dunlin.goodbye")).Data).RootElement;
        Assert.Equal("draining", goodbye.GetProperty("reason").GetString());
        Assert.InRange(goodbye.GetProperty("reconnectInMs").GetInt64(), 500, 5_000);
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Stats_show_own_connections_and_totals_to_administrators_only()
    {
        await using var host = await EngineHost.StartAsync();
        await using var mine = await host.OpenAsync("/dunlin/v1/events?topic=a");
        await using var others = await host.OpenAsync("/dunlin/v1/events?topic=b", "bob");
        using var ann = host.Client();
        var own = JsonDocument.Parse(await ann.GetStringAsync("/dunlin/v1/stats")).RootElement;
        Assert.Equal(
            mine.ConnectionId,
            Assert.Single(own.GetProperty("connections").EnumerateArray()).GetProperty("connectionId").GetString()
        );
        Assert.Equal(JsonValueKind.Null, own.GetProperty("totalConnections").ValueKind);
        Assert.Equal(JsonValueKind.Null, own.GetProperty("version").ValueKind);
        Assert.DoesNotContain(others.ConnectionId, own.ToString(), StringComparison.Ordinal);
        using var admin = host.Client("admin");
        var all = JsonDocument.Parse(await admin.GetStringAsync("/dunlin/v1/stats")).RootElement;
        Assert.Equal(2, all.GetProperty("totalConnections").GetInt32());
        Assert.Matches("^[0-9]+[.][0-9]+[.][0-9]+$", all.GetProperty("version").GetString());
    }

    [Fact]
    public async Task Health_reports_live_and_ready()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client(null);
        Assert.Equal("live", await client.GetStringAsync("/healthz/live"));
        Assert.Equal("ready", await client.GetStringAsync("/healthz/ready"));
    }
}
