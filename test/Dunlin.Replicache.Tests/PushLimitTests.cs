using System.Net;
using System.Text.Json.Nodes;

namespace Dunlin.Replicache.Tests;

/// <summary>Limits for one push and for one user.</summary>
public sealed class PushLimitTests
{
    [Theory]
    [InlineData(Backing.Memory, "count")]
    [InlineData(Backing.Sqlite, "count")]
    [InlineData(Backing.Sqlite, "fail")]
    [InlineData(Backing.Sqlite, "missing")]
    public async Task A_push_runs_mutations_up_to_the_limit_and_asks_for_the_rest(Backing backing, string name)
    {
        await using var host = await ReplicacheHost.StartAsync(
            backing,
            options => (options.MaxMutations, options.MutationsPerCommit) = (100, 30)
        );
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var mutations = Many("c1", 2, 250, name);
        foreach (var done in new[] { 101, 201 })
        {
            var (status, body) = await host.PushAsync("g1", "ann", mutations);
            Assert.True(status == HttpStatusCode.TooManyRequests, body?.ToJsonString());
            Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_requests", 100), (status, (string?)body!["code"], (int?)body["limit"]));
            Assert.Equal($$"""{"c1":{{done}}}""", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
        }
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", mutations)).Status);
        Assert.Equal("""{"c1":251}""", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
        // Processed mutations are not counted again.
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", mutations)).Status);
    }

    [Fact]
    public async Task New_mutations_are_rate_limited_per_user_over_all_groups()
    {
        await using var host = await ReplicacheHost.StartAsync(
            Backing.Sqlite,
            options => (options.MutationsPerSecond, options.MutationBurst) = (10, 20)
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await host.PushAsync("g1", "ann", [("c1", 1, "makeList", new { list = "a" }), .. Many("c1", 2, 9, "count")])).Status
        );
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.PushAsync("g2", "ann", Many("c2", 1, 15, "count"))).Status);
        Assert.Equal("""{"c2":10}""", (await host.PullAsync("g2", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g3", "bob", ("c3", 1, "makeList", new { list = "b" }))).Status);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g2", "ann", Many("c2", 1, 15, "count"))).Status);
    }

    [Fact]
    public async Task New_clients_and_groups_are_limited_per_hour_and_known_ones_are_not()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Sqlite, options => options.ClientsPerHour = 4);
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }))).Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (await host.PushAsync("g1", "ann", ("c2", 1, "count", new { list = "a" }), ("c3", 1, "count", new { list = "a" }))).Status
        );
        var (status, body) = await host.PushAsync("g1", "ann", ("c4", 1, "count", new { list = "a" }));
        Assert.Equal((HttpStatusCode.TooManyRequests, 4), (status, (int?)body!["limit"]));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.PushAsync("g2", "ann", ("c5", 1, "missing", null))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", ("c1", 2, "count", new { list = "a" }))).Status);
        host.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", ("c4", 1, "count", new { list = "a" }))).Status);
        Assert.Equal("4", PushTests.Put((await host.PullAsync("g1", null)).Body!, "count"));
    }

    private static (string, long, string, object?)[] Many(string client, int from, int count, string name) =>
        [.. Enumerable.Range(from, count).Select(id => (client, (long)id, name, (object?)new { list = "a" }))];
}
