using System.Text.Json.Nodes;
using Dunlin.DurableStreams.Tests.Support;
using static Dunlin.DurableStreams.Tests.Support.SubscriptionCalls;

namespace Dunlin.DurableStreams.Tests.Subscriptions;

/// <summary>Workers that a wake stream wakes: claims, fencing, and patterns.</summary>
public sealed class PullWakeTests
{
    private static JsonObject Worker(string name) => new() { ["worker"] = name };

    [Fact]
    public async Task A_slow_worker_is_fenced_after_another_one_has_claimed()
    {
        await using var host = await StartAsync();
        var tail = (await host.CreateStreamAsync("alice/data/a")).Next;
        var first = await ClaimAsync(host, "one");
        host.Time.Advance(TimeSpan.FromSeconds(31));
        var second = await ClaimAsync(host, "two");
        Assert.True(second.Generation > first.Generation);
        Assert.Equal("FENCED", (await AckAsync(host, first, tail)).Is(409).Code());
        var release = await host.CallAsync("p", "release", Ack(first.Id, first.Generation, false), first.Token);
        Assert.Equal("FENCED", release.Is(409).Code());
        (await AckAsync(host, second, tail)).Is(200);
        Assert.Equal(tail, await host.CursorAsync("p", "alice/data/a"));
    }

    [Fact]
    public async Task An_ended_lease_fences_before_any_node_has_acted()
    {
        await using var host = await StartAsync();
        var tail = (await host.CreateStreamAsync("alice/data/a")).Next;
        var claim = await ClaimAsync(host, "one");
        host.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("FENCED", (await AckAsync(host, claim, tail)).Is(409).Code());
    }

    [Fact]
    public async Task An_acknowledgement_without_done_extends_the_lease()
    {
        await using var host = await StartAsync();
        var tail = (await host.CreateStreamAsync("alice/data/a")).Next;
        var claim = await ClaimAsync(host, "one");
        for (var i = 0; i < 4; i++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(20));
            (await AckAsync(host, claim, tail, done: false)).Is(200);
        }
        Assert.Equal("ALREADY_CLAIMED", (await host.CallAsync("p", "claim", Worker("two"), null, "alice")).Is(409).Code());
    }

    [Fact]
    public async Task Events_during_a_claim_cause_one_wake_after_it()
    {
        await using var host = await StartAsync();
        var tail = (await host.CreateStreamAsync("alice/data/a")).Next;
        var claim = await ClaimAsync(host, "one");
        var before = await WakesAsync(host);
        await host.AppendAsync("alice/data/a");
        await host.AppendAsync("alice/data/a");
        var ack = (await AckAsync(host, claim, tail)).Is(200).Json();
        Assert.True(ack.GetProperty("next_wake").GetBoolean());
        Assert.Equal(before + 1, await WakesAsync(host));
        Assert.True((await ClaimAsync(host, "one")).Generation > claim.Generation);
    }

    [Fact]
    public async Task A_claim_without_new_data_is_refused()
    {
        await using var host = await StartAsync();
        Assert.Equal("NO_PENDING_WORK", (await host.CallAsync("p", "claim", Worker("one"), null, "alice")).Is(409).Code());
    }

    [Fact]
    public async Task Existing_data_is_skipped_and_new_streams_begin_at_their_start()
    {
        await using var host = await StreamHost.StartAsync();
        await host.CreateStreamAsync("alice/wake", "[]");
        var tail = (await host.CreateStreamAsync("alice/data/old")).Next;
        (await host.PullAsync("p")).Is(201);
        Assert.Equal(tail, await host.CursorAsync("p", "alice/data/old"));
        await host.CreateStreamAsync("alice/data/new");
        Assert.Equal(["alice/data/new"], (await ClaimAsync(host, "one")).Paths);
    }

    [Fact]
    public async Task A_wake_stream_never_wakes_a_subscription()
    {
        await using var host = await StreamHost.StartAsync();
        await host.CreateStreamAsync("alice/wake", "[]");
        (await host.PullAsync("p", pattern: "alice/**")).Is(201);
        (await host.PullAsync("q", pattern: "alice/**", wake: "alice/other")).Is(201);
        await host.CreateStreamAsync("alice/data/a");
        Assert.Equal(["alice/data/a"], (await ClaimAsync(host, "one")).Paths);
        Assert.Equal(["alice/data/a"], (await ClaimAsync(host, "one", "q")).Paths);
        Assert.Null(await host.CursorAsync("p", "alice/wake"));
    }

    [Fact]
    public async Task A_deleted_stream_leaves_and_a_new_one_begins_again()
    {
        await using var host = await StartAsync();
        await host.CreateStreamAsync("alice/data/a");
        await ClaimAsync(host, "one");
        (await host.SendAsync("DELETE", "/streams/alice/data/a")).Is(204);
        host.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("NO_PENDING_WORK", (await host.CallAsync("p", "claim", Worker("two"), null, "alice")).Is(409).Code());
        Assert.Null(await host.CursorAsync("p", "alice/data/a"));
        await host.CreateStreamAsync("alice/data/a", "[2]");
        Assert.Equal("-1", await CursorAfterClaimAsync(host));
    }

    [Theory]
    [InlineData("alice/*/x", "alice/b/x", "alice/b/c/x")]
    [InlineData("alice/**/x", "alice/b/c/x", "alice/b/y")]
    [InlineData("alice/**/x", "alice/x", "alice/x/y")]
    [InlineData("alice/data", "alice/data", "alice/data/a")]
    public async Task A_pattern_matches_whole_segments(string pattern, string matching, string other)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.PullAsync("p", pattern)).Is(201);
        await host.CreateStreamAsync(other);
        await host.CreateStreamAsync(matching);
        Assert.Equal([matching], (await ClaimAsync(host, "one")).Paths);
    }

    [Fact]
    public async Task A_removed_explicit_stream_stays_where_the_pattern_matches()
    {
        await using var host = await StartAsync();
        var tail = (await host.CreateStreamAsync("alice/data/a")).Next;
        (await AckAsync(host, await ClaimAsync(host, "one"), tail)).Is(200);
        foreach (var path in new[] { "alice/data/a", "alice/own" })
            (await host.CallAsync("p", "streams", new JsonObject { ["streams"] = new JsonArray(path) }, null, "alice")).Is(204);
        foreach (var path in new[] { "alice%2Fdata%2Fa", "alice/own", "alice/none" })
            (await host.SendAsync("DELETE", "/streams/__ds/subscriptions/p/streams/" + path)).Is(204);
        Assert.Equal(tail, await host.CursorAsync("p", "alice/data/a"));
        Assert.Null(await host.CursorAsync("p", "alice/own"));
    }

    private static async Task<StreamHost> StartAsync()
    {
        var host = await StreamHost.StartAsync();
        await host.CreateStreamAsync("alice/wake", "[]");
        (await host.PullAsync("p")).Is(201);
        return host;
    }

    private static async Task<Claim> ClaimAsync(StreamHost host, string worker, string id = "p")
    {
        var answer = (await host.CallAsync(id, "claim", Worker(worker), null, "alice")).Is(200).Json();
        return new Claim(
            answer.GetProperty("wake_id").GetString()!,
            answer.GetProperty("generation").GetInt64(),
            answer.GetProperty("token").GetString()!,
            [.. answer.GetProperty("streams").EnumerateArray().Select(entry => entry.GetProperty("path").GetString()!)]
        );
    }

    private static Task<StreamAnswer> AckAsync(StreamHost host, Claim claim, string tail, bool done = true) =>
        host.CallAsync("p", "ack", Ack(claim.Id, claim.Generation, done, ("alice/data/a", tail)), claim.Token);

    private static async Task<string?> CursorAfterClaimAsync(StreamHost host)
    {
        await ClaimAsync(host, "two");
        return await host.CursorAsync("p", "alice/data/a");
    }

    /// <summary>Returns the number of events in the wake stream. A claim before it makes sure that all wakes are there.</summary>
    private static async Task<int> WakesAsync(StreamHost host) =>
        (await host.SendAsync("GET", "/streams/alice/wake")).Is(200).Json().GetArrayLength();

    private sealed record Claim(string Id, long Generation, string Token, IReadOnlyList<string> Paths);
}
