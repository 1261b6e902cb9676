using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Faults;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;
using Npgsql;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>
/// Networks that delay, hold and cut connections, and lose packets. Proxies of the test do the former, and the packet filter of the kernel
/// the latter: <c>tc netem</c> needs a module that many kernels lack.
/// </summary>
public sealed class NetworkTests
{
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(25);

    [Fact]
    public async Task G1_G2_G3_G6_Partitions_between_nodes_and_PostgreSQL_lose_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var near = new TcpProxy(postgres.Port);
        await using var far = new TcpProxy(postgres.Port);
        await using var one = new Node("--store", Through(postgres, near));
        await using var two = new Node("--store", Through(postgres, far));
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await using var load = await Workload.StartAsync("network of PostgreSQL", () => one.Address, () => two.Address);
        await load.MoreAsync();
        await DisturbAsync(load, load.Random.Next(2) == 0 ? near : far);
        await load.FinishAsync();
    }

    [Fact]
    public async Task G1_G2_G3_Partitions_between_clients_and_nodes_lose_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var one = new Node("--store", postgres.ConnectionString);
        await using var two = new Node("--store", postgres.ConnectionString);
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await using var near = new TcpProxy(one.Port);
        await using var far = new TcpProxy(two.Port);
        await using var load = await Workload.StartAsync("network of clients", () => Of(near), () => Of(far));
        await load.MoreAsync();
        await DisturbAsync(load, load.Random.Next(2) == 0 ? near : far);
        await load.FinishAsync();
    }

    [Fact]
    public async Task G1_G2_G3_G6_Lost_packets_everywhere_lose_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var one = new Node("--store", postgres.ConnectionString);
        await using var two = new Node("--store", postgres.ConnectionString);
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await using var all = await PacketLoss.AddAsync(postgres.Port, one.Port, two.Port);
        await using var load = await Workload.StartAsync("lost packets", () => one.Address, () => two.Address);
        await load.MoreAsync();
        await all.SetAsync(4);
        await load.MoreAsync(Workload.Step / 2);
        Assert.NotEqual(0, await all.CountAsync());
        await all.SetAsync(0);
        // Neither side learns that the other one is cut off: packets get no answer, also those that open and close connections.
        await using (var cut = await PacketLoss.AddAsync(load.Random.Next(2) == 0 ? one.Port : two.Port))
        {
            await cut.SetAsync(100);
            await load.MoreAsync(Workload.Step / 2);
            Assert.NotEqual(0, await cut.CountAsync());
        }
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>Delays one line, holds it without a word, and cuts it, while the other one works.</summary>
    private static async Task DisturbAsync(Workload load, TcpProxy line)
    {
        line.Delay = Slow;
        await load.MoreAsync(Workload.Step / 2);
        line.Delay = TimeSpan.Zero;
        line.Hold();
        await load.MoreAsync(Workload.Step / 2);
        if (load.Random.Next(2) == 0)
            line.Cut();
        line.Restore();
        await load.MoreAsync(Workload.Step / 2);
        line.Block();
        await load.MoreAsync(Workload.Step / 2);
        line.Restore();
        await load.MoreAsync(Workload.Step / 2);
    }

    private static string Through(PostgresServer postgres, TcpProxy line) =>
        new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Port = line.Port, Timeout = 3 }.ConnectionString;

    private static Uri Of(TcpProxy line) => new($"http://127.0.0.1:{line.Port}");
}
