using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Dunlin.Warranty.Tests;

public sealed class StreamTests : IAsyncLifetime
{
    private Branch _branch = null!;

    public async ValueTask InitializeAsync() => _branch = await Branch.OpenAsync();

    public ValueTask DisposeAsync() => _branch.DisposeAsync();

    [Fact]
    public async Task The_stream_sends_hello_locks_and_events_under_contract_names()
    {
        using User bob = _branch.As("bob"),
            carol = _branch.As("carol");
        await carol.LockAsync(3, "remarks", "lease-id-of-carol");
        await using var frames = await FramesAsync(bob, 1);
        var (first, hello) = await NextAsync(frames);
        Assert.Equal(("connection-established", "bob"), (first, hello.GetProperty("userId").GetString()));
        var (second, locks) = await NextAsync(frames);
        Assert.Equal("locks", second);
        var held = Assert.Single(locks.EnumerateArray());
        Assert.Equal(
            (3, "remarks", "carol"),
            (held.GetProperty("caseId").GetInt32(), held.GetProperty("field").GetString(), held.GetProperty("userName").GetString())
        );

        var (leaseId, fence) = await carol.LockAsync(1, "customerName", "lease-id-of-carol");
        await carol.PatchAsync(1, new { customerName = "New" }, new { customerName = new { leaseId, fence } });
        await carol.DoAsync("DELETE", "cases/1/locks/customerName", null, ("Dunlin-Lease", leaseId));
        await carol.DoAsync("POST", "branches/1/cases", new { customerName = "Added" });
        await bob.DoAsync("POST", "cases/2/transfer", new { toBranchId = 2 });
        await carol.DoAsync("DELETE", "cases/1");
        string[] expected = ["lock-acquired", "case-updated", "lock-released", "case-created", "case-transferred-out", "case-deleted"];
        foreach (var type in expected)
        {
            var (got, data) = await NextAsync(frames);
            Assert.Equal(type, got);
            if (type == "case-updated")
                Assert.Equal("New", data.GetProperty("updates").GetProperty("customerName").GetString());
            if (type == "lock-released")
                Assert.Equal("released", data.GetProperty("reason").GetString());
        }
    }

    [Fact]
    public async Task A_stream_with_presence_lists_its_user_in_the_branch()
    {
        using User bob = _branch.As("bob"),
            carol = _branch.As("carol");
        await using var silent = await FramesAsync(carol, 1);
        await NextAsync(silent);
        await using var frames = await FramesAsync(bob, 1, "&presence=true");
        await NextAsync(frames);
        var (status, list) = await PresentAsync(carol);
        Assert.Equal((200, "bob"), (status, Assert.Single(list).GetProperty("userId").GetString()));
        using var dave = _branch.As("dave");
        Assert.Equal(403, (await PresentAsync(dave)).Status);
    }

    [Fact]
    public async Task An_expired_lock_is_announced_and_a_large_update_asks_for_a_sync()
    {
        using User bob = _branch.As("bob"),
            carol = _branch.As("carol");
        await using var frames = await FramesAsync(bob, 1);
        await NextAsync(frames);
        await NextAsync(frames);
        await carol.LockAsync(1, "remarks", "lease-id-of-carol");
        await NextAsync(frames);
        _branch.Time.Advance(TimeSpan.FromSeconds(32));
        var (type, released) = await NextAsync(frames);
        while (type == "heartbeat")
            (type, released) = await NextAsync(frames);
        Assert.Equal(("lock-released", "expired"), (type, released.GetProperty("reason").GetString()));
        var text = new string('é', 3_000);
        await bob.PatchAsync(
            1,
            new
            {
                issues = text,
                solutions = text,
                remarks = text,
            }
        );
        Assert.Equal("sync-required", (await NextAsync(frames)).Type);
    }

    [Fact]
    public async Task G4_Another_branch_is_closed_and_its_events_stay_inside()
    {
        using User bob = _branch.As("bob"),
            dave = _branch.As("dave");
        foreach (
            var (user, query, status) in new[]
            {
                (bob, "?branchId=3", 403),
                (bob, "?branchId=99", 404),
                (bob, "?branchId=x", 400),
                (bob, "", 400),
            }
        )
        {
            using var response = await user.Client.GetAsync("/api/sse/warranty-updates" + query, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(status, (int)response.StatusCode);
        }
        using var engine = await dave.Client.GetAsync("/dunlin/v1/events?topic=warranty/1", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(403, (int)engine.StatusCode);
        await using var frames = await FramesAsync(dave, 3);
        await NextAsync(frames);
        await NextAsync(frames);
        await bob.PatchAsync(1, new { remarks = "secret" });
        await dave.PatchAsync(41, new { remarks = "open" });
        var (_, data) = await NextAsync(frames);
        Assert.Equal(41, data.GetProperty("caseId").GetInt32());
    }

    private static async Task<IAsyncEnumerator<SseItem<string>>> FramesAsync(User user, int branchId, string more = "")
    {
        var response = await user.Client.GetAsync(
            $"/api/sse/warranty-updates?branchId={branchId}{more}",
            HttpCompletionOption.ResponseHeadersRead
        );
        response.EnsureSuccessStatusCode();
        return SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator();
    }

    private static async Task<(int Status, JsonElement[] List)> PresentAsync(User user)
    {
        using var answer = await user.Client.GetAsync("/dunlin/v1/presence?topic=warranty/1");
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return ((int)answer.StatusCode, body.TryGetProperty("present", out var list) ? [.. list.EnumerateArray()] : []);
    }

    private static async Task<(string Type, JsonElement Data)> NextAsync(IAsyncEnumerator<SseItem<string>> frames)
    {
        Assert.True(await frames.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        var json = JsonDocument.Parse(frames.Current.Data).RootElement;
        return (json.GetProperty("type").GetString()!, json.GetProperty("data"));
    }
}
