using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Faults;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>Clocks that are wrong, and that step while the nodes run.</summary>
public sealed class ClockTests
{
    [Fact]
    public async Task G2_G3_Clock_steps_of_one_of_two_nodes_change_nothing()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var exact = new Node("--store", postgres.ConnectionString);
        await using var wrong = new Node("--store", postgres.ConnectionString);
        using var clock = new FakeClock(wrong.Settings);
        clock.Set(TimeSpan.FromHours(3));
        await Task.WhenAll(exact.StartAsync(), wrong.StartAsync());
        Assert.Equal(3, await HoursAheadAsync(wrong));
        await using var load = await Workload.StartAsync("clocks of two nodes", () => exact.Address, () => wrong.Address);
        await load.MoreAsync();
        for (var step = 0; step < 4; step++)
        {
            clock.Set(TimeSpan.FromSeconds(load.Random.Next(-3 * 3_600, 3 * 3_600)));
            await load.MoreAsync();
        }
        clock.Set(TimeSpan.FromHours(-3));
        await load.MoreAsync();
        Assert.Equal(-3, await HoursAheadAsync(wrong));
        await load.FinishAsync();
    }

    /// <summary>A node with SQLite has no other clock: leases may end early or late, but never have two holders.</summary>
    [Fact]
    public async Task G2_G3_Clock_steps_of_a_node_with_SQLite_keep_one_holder()
    {
        await using var node = new Node();
        using var clock = new FakeClock(node.Settings);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("clock of one node", () => node.Address);
        await load.MoreAsync();
        foreach (var hours in (int[])[1, 3, 2, 4])
        {
            clock.Set(TimeSpan.FromHours(hours));
            await load.MoreAsync();
            Assert.Equal(hours, await HoursAheadAsync(node));
        }
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>Returns how far the clock of a node is ahead, as the <c>Date</c> of its answers.</summary>
    private static async Task<int> HoursAheadAsync(Node node)
    {
        using var client = TestClients.New(node.Address);
        using var response = await client.GetAsync(new Uri("/healthz/live", UriKind.Relative));
        var date = response.Headers.Date ?? throw new InvalidOperationException("The answer has no date.");
        return (int)Math.Round((date - TimeProvider.System.GetUtcNow()).TotalHours);
    }
}
