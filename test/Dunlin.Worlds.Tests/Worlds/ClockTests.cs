using Dunlin.Server.Tests.Support;
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
        using var clock = await FaultLibrary.AddAsync(wrong.Settings, wrong.Data);
        clock.SetClock(TimeSpan.FromHours(3));
        await Task.WhenAll(exact.StartAsync(), wrong.StartAsync());
        await RequireAheadAsync(wrong, 3);
        await using var load = await Workload.StartAsync("clocks of two nodes", () => exact.Address, () => wrong.Address);
        await load.MoreAsync();
        for (var step = 0; step < 3; step++)
        {
            var hours = load.Random.Next(-6, 7);
            clock.SetClock(TimeSpan.FromHours(hours));
            await RequireAheadAsync(wrong, hours);
            await load.MoreAsync();
        }
        await load.FinishAsync();
    }

    /// <summary>A node with SQLite has no other clock: leases may end early or late, but never have two holders.</summary>
    [Fact]
    public async Task G2_G3_Clock_steps_of_a_node_with_SQLite_keep_one_holder()
    {
        await using var node = new Node();
        using var clock = await FaultLibrary.AddAsync(node.Settings, node.Data);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("clock of one node", () => node.Address);
        await load.MoreAsync();
        foreach (var hours in (int[])[1, 4, 3])
        {
            clock.SetClock(TimeSpan.FromHours(hours));
            await RequireAheadAsync(node, hours);
            await load.MoreAsync();
        }
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>Waits until the clock of a node is ahead by some hours, as the <c>Date</c> of its answers.</summary>
    private static async Task RequireAheadAsync(Node node, int hours)
    {
        using var client = TestClients.New(node.Address);
        DateTimeOffset? date = null;
        await Eventually.TrueAsync(
            async () =>
            {
                using var response = await client.GetAsync(new Uri("/healthz/live", UriKind.Relative));
                date = response.Headers.Date;
                return date is { } told && Math.Round((told - TimeProvider.System.GetUtcNow()).TotalHours) == hours;
            },
            () => $"{date}"
        );
    }
}
