using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

/// <summary>Two nodes on one PostgreSQL database.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private PostgresServer _server = null!;
    private InspectedHost _first = null!;
    private InspectedHost _second = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartNewAsync();
        _first = await InspectedHost.StartAsync(builder => builder.AddPostgres(_server.ConnectionString));
        _second = await InspectedHost.StartAsync(builder => builder.AddPostgres(_server.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _second.DisposeAsync();
        await _first.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task One_node_shows_streams_leases_refusals_and_samples_of_the_other()
    {
        await InspectedHost.UntilAsync(() => Task.FromResult(_first.Host.Get<Cluster.NodeQueries>().OtherCount == 1));
        await using var bob = await _second.Host.OpenAsync("/dunlin/v1/events?topic=orders", "bob");
        await bob.NextAsync();
        using var client = _second.Host.Client("bob");
        (await client.SendJsonAsync("GET", "/dunlin/v1/journal?topic=secret/1")).Is(403, "forbidden");
        await client.SendJsonAsync("PUT", "/dunlin/v1/leases/doc", new { leaseId = "lease-of-bob-1" });

        var list = await _first.GetAsync("connections");
        Assert.Equal(bob.ConnectionId, list.GetProperty("connections").EnumerateArray().Single().GetProperty("id").GetString());
        Assert.Equal("orders", (await _first.GetAsync("topics")).GetProperty("topics")[0].GetProperty("topic").GetString());
        Assert.Equal(
            bob.ConnectionId,
            (await _first.GetAsync("connections/" + bob.ConnectionId)).GetProperty("connection").GetProperty("id").GetString()
        );
        Assert.Single((await _first.GetAsync("leases/history?resource=doc")).GetProperty("changes").EnumerateArray());
        Assert.Single((await _first.GetAsync("refusals")).GetProperty("refusals").EnumerateArray());

        await using var viewer = await _first.WatchAsync();
        await viewer.NextAsync();
        // Manual time must not pass while the other node answers: the answer would be too late.
        _first.Time.Advance(TimeSpan.FromSeconds(1));
        await InspectedHost.UntilAsync(() => Task.FromResult(_first.Sampler.OtherNodes == 1));
        var sample = await _first.SampleAsync(viewer, sample => sample.GetProperty("nodes").GetArrayLength() == 2);
        Assert.Equal([0, 1], sample.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("connections").GetInt32()));
        // The other node samples while this one asks, and stops by itself.
        Assert.True(_second.Sampler.IsRunning);
        await viewer.DisposeAsync();
        await InspectedHost.UntilAsync(() =>
        {
            _second.Time.Advance(TimeSpan.FromSeconds(2));
            return Task.FromResult(!_second.Sampler.IsRunning);
        });
    }
}
