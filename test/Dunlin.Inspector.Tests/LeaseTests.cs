using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class LeaseTests
{
    [Fact]
    public async Task A_lease_is_listed_with_holder_and_queue()
    {
        await using var host = await InspectedHost.StartAsync();
        await AcquireAsync(host, "bob");
        await AcquireAsync(host, "eve", wait: true);
        var row = (await host.GetAsync("leases?q=doc")).GetProperty("leases").EnumerateArray().Single();
        Assert.Equal("bob", row.GetProperty("owner").GetProperty("userId").GetString());
        Assert.Equal(["eve"], row.GetProperty("waiters").EnumerateArray().Select(waiter => waiter.GetProperty("userId").GetString()));
        // The lease id is the secret of the holder.
        Assert.DoesNotContain("lease-of", row.ToString(), StringComparison.Ordinal);
        Assert.Empty((await host.GetAsync("leases?q=nothing")).GetProperty("leases").EnumerateArray());
    }

    [Fact]
    public async Task Ending_a_lease_grants_it_to_the_first_waiter()
    {
        await using var host = await InspectedHost.StartAsync();
        await AcquireAsync(host, "bob");
        await AcquireAsync(host, "eve", wait: true);
        Assert.Equal(204, (await host.SendAsync("POST", "leases/end", new { resource = "doc/1" })).Status);
        var row = (await host.GetAsync("leases")).GetProperty("leases").EnumerateArray().Single();
        Assert.Equal("eve", row.GetProperty("owner").GetProperty("userId").GetString());
        var kinds = await KindsAsync(host);
        Assert.Equal(["granted bob", "queued eve", "released bob", "granted eve"], kinds);
        (await host.SendAsync("POST", "leases/end", new { resource = "doc/2" })).Is(404, "not_found");
        (await host.SendAsync("POST", "leases/end", new { resource = "a//b" })).Is(400, "invalid_field");
        Assert.Equal(400, (await host.SendAsync("POST", "leases/end", new { other = 1 })).Status);
    }

    [Fact]
    public async Task A_preempted_holder_gets_the_reason_and_the_next_waiter_the_lease()
    {
        await using var host = await InspectedHost.StartAsync();
        await AcquireAsync(host, "bob");
        await AcquireAsync(host, "eve", wait: true);
        await using var bob = await host.Host.OpenAsync("/dunlin/v1/events?topic=leases/doc", "bob");
        await bob.UntilAsync(item => item.EventType == "dunlin.hello");
        var body = new
        {
            resource = "doc/1",
            reason = "Ann is on holiday",
            graceSeconds = 10,
        };
        Assert.Equal(204, (await host.SendAsync("POST", "leases/preempt", body)).Status);
        var ending = JsonElement.Parse((await bob.UntilAsync(item => item.EventType == "lease.ending")).Data);
        Assert.Equal(("bob", "Ann is on holiday"), (UserOf(ending), ending.GetProperty("text").GetString()));
        // The holder may still save, and cannot renew past the deadline.
        var row = (await host.GetAsync("leases")).GetProperty("leases").EnumerateArray().Single();
        Assert.True(row.GetProperty("isEnding").GetBoolean());
        Assert.Equal("bob", row.GetProperty("owner").GetProperty("userId").GetString());
        host.Time.Advance(TimeSpan.FromSeconds(11));
        var released = JsonElement.Parse((await bob.UntilAsync(item => item.EventType == "lease.released")).Data);
        Assert.Equal("taken", released.GetProperty("reason").GetString());
        var granted = JsonElement.Parse((await bob.UntilAsync(item => item.EventType == "lease.granted")).Data);
        Assert.Equal("eve", UserOf(granted));
    }

    [Fact]
    public async Task Preemption_at_once_frees_the_resource_and_tells_the_reason()
    {
        await using var host = await InspectedHost.StartAsync();
        await AcquireAsync(host, "bob");
        await using var bob = await host.Host.OpenAsync("/dunlin/v1/events?topic=leases/doc", "bob");
        await bob.UntilAsync(item => item.EventType == "dunlin.hello");
        Assert.Equal(204, (await host.SendAsync("POST", "leases/preempt", new { resource = "doc/1", reason = "stuck" })).Status);
        var released = JsonElement.Parse((await bob.UntilAsync(item => item.EventType == "lease.released")).Data);
        Assert.Equal(("taken", "stuck"), (released.GetProperty("reason").GetString(), released.GetProperty("text").GetString()));
        Assert.Empty((await host.GetAsync("leases")).GetProperty("leases").EnumerateArray());
        (await host.SendAsync("POST", "leases/preempt", new { resource = "doc/1", reason = "stuck" })).Is(404, "not_found");
    }

    [Theory]
    [InlineData("a//b", "why", 0)]
    [InlineData("doc/1", "", 0)]
    [InlineData("doc/1", "why", -1)]
    [InlineData("doc/1", "why", 1_000_000)]
    public async Task A_wrong_preemption_is_refused_and_changes_nothing(string resource, string reason, int graceSeconds)
    {
        await using var host = await InspectedHost.StartAsync();
        await AcquireAsync(host, "bob");
        var body = new
        {
            resource,
            reason,
            graceSeconds,
        };
        (await host.SendAsync("POST", "leases/preempt", body)).Is(400, "invalid_field");
        var row = (await host.GetAsync("leases")).GetProperty("leases").EnumerateArray().Single();
        Assert.False(row.GetProperty("isEnding").GetBoolean());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rolled_back_change_is_not_in_the_history(bool isSqlite)
    {
        await using var host = await InspectedHost.StartAsync(
            store: isSqlite
                ? builder => builder.AddSqlite(Path.Combine(Directory.CreateTempSubdirectory("dunlin-inspector-").FullName, "d.db"))
                : null
        );
        var owner = new LeaseOwner("bob", "Bob");
        var request = new LeaseRequest(ResourceName.Parse("doc/1"), "lease-of-bob-1", owner);
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await host.Host.Store.WriteAsync<bool>(
                async (unit, ct) =>
                {
                    await unit.Leases.AcquireAsync(request, null, ct);
                    throw new InvalidOperationException("no");
                }
            )
        );
        await AcquireAsync(host, "eve");
        await InspectedHost.UntilAsync(async () => (await KindsAsync(host)).Count > 0);
        Assert.Equal(["granted eve"], await KindsAsync(host));
    }

    private static string? UserOf(JsonElement change) => change.GetProperty("owner").GetProperty("userId").GetString();

    private static async Task AcquireAsync(InspectedHost host, string user, bool wait = false)
    {
        using var client = host.Host.Client(user);
        var answer = await client.SendJsonAsync("PUT", "/dunlin/v1/leases/doc/1", new { leaseId = $"lease-of-{user}-1", wait });
        Assert.Equal(wait ? 202 : 201, answer.Status);
    }

    private static async Task<List<string>> KindsAsync(InspectedHost host) =>
        [
            .. (await host.GetAsync("leases/history?resource=doc/1"))
                .GetProperty("changes")
                .EnumerateArray()
                .Reverse()
                .Select(change => $"{change.GetProperty("kind").GetString()} {change.GetProperty("userId").GetString()}"),
        ];
}
