using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dunlin.Records;

namespace Dunlin.Replicache.Tests;

public sealed class PokeTests
{
    [Theory]
    [InlineData("stream")]
    [InlineData("events")]
    public async Task A_push_pokes_all_affected_users_once_and_nobody_else(string path)
    {
        await using var host = await ReplicacheHost.StartAsync();
        await using var ann = await host.OpenAsync(path);
        await using var bob = await host.OpenAsync(path, "bob");
        await using var eve = await host.OpenAsync(path, "eve");
        foreach (var reader in new[] { ann, bob, eve })
            Assert.Equal("connected", await reader.NextAsync());
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        Assert.Equal("sync", await ann.NextAsync());
        await host.WriteAsync(records => records.GrantAsync(ReplicacheHost.Space("a"), "bob"));
        Assert.Equal("sync", await bob.NextAsync());
        // Forty mutations, one commit, one poke.
        await host.PushAsync("g1", "ann", [.. Enumerable.Range(2, 40).Select(i => ("c1", (long)i, "count", (object?)new { list = "a" }))]);
        Assert.Equal("sync", await ann.NextAsync());
        Assert.Equal("sync", await bob.NextAsync());
        await host.WriteAsync(records => records.RevokeAsync(ReplicacheHost.Space("a"), "bob"));
        Assert.Equal("sync", await bob.NextAsync());
        await host.PushAsync("g1", "ann", ("c1", 42, "fail", new { list = "a" }));
        Assert.Equal("sync", await ann.NextAsync());
        Assert.Equal((HttpStatusCode.OK, 1), await PokeAsync(host, "eve"));
        Assert.Equal("sync", await eve.NextAsync());
        Assert.Equal((0, 0, 0), (ann.Waiting, bob.Waiting, eve.Waiting));
    }

    [Fact]
    public async Task An_idle_stream_is_pinged_every_thirty_seconds()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory);
        await using var ann = await host.OpenAsync();
        Assert.Equal("connected", await ann.NextAsync());
        var interval = new ReplicacheOptions().Ping;
        Assert.Equal(TimeSpan.FromSeconds(30), interval);
        var began = host.Time.GetTimestamp();
        for (var pings = 1; pings <= 2; pings++)
        {
            // Without a limit: a frame that the server is still writing delays the next ping by one interval.
            for (var next = ann.NextAsync(); ; await Task.Yield())
            {
                if (next.IsCompleted)
                {
                    Assert.Equal("ping", await next);
                    break;
                }
                host.Time.Advance(TimeSpan.FromSeconds(1));
            }
            Assert.True(host.Time.GetElapsedTime(began) >= interval * pings, "a ping came early");
        }
    }

    [Fact]
    public async Task Statistics_show_own_streams_and_all_to_administrators()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory);
        await using var first = await host.OpenAsync();
        await using var second = await host.OpenAsync();
        await using var other = await host.OpenAsync(user: "bob");
        foreach (var (user, own, total) in new[] { ("ann", 2, 2), ("bob", 1, 1), ("admin", 0, 3), ("eve", 0, 0) })
        {
            using var client = host.Client(user);
            var stats = await client.GetFromJsonAsync<JsonObject>(ReplicacheHost.Base + "/stats");
            Assert.Equal(["userId", "userConnections", "totalConnections", "timestamp"], stats!.Select(member => member.Key));
            Assert.Equal((user, own, total), ((string?)stats!["userId"], (int)stats["userConnections"]!, (int)stats["totalConnections"]!));
        }
        Assert.Equal((HttpStatusCode.OK, 2), await PokeAsync(host, "ann"));
        foreach (var address in new[] { "stream", "stats" })
        {
            using var nobody = host.Client(null);
            Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync($"{ReplicacheHost.Base}/{address}")).StatusCode);
        }
    }

    private static async Task<(HttpStatusCode, int)> PokeAsync(ReplicacheHost host, string user)
    {
        var (status, body) = await host.PostAsync("poke-user", "", user);
        Assert.Equal(
            (true, user, "User-specific sync triggered"),
            ((bool)body!["success"]!, (string?)body["userId"], (string?)body["message"])
        );
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string?)body["timestamp"]);
        return (status, (int)body["clientsNotified"]!);
    }
}
