using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Faults;
using Dunlin.Worlds.Tests.Histories;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>A server with SQLite on a disk whose writes and syncs fail, are slow, or write a part.</summary>
public sealed class FaultyDiskTests
{
    /// <summary>After such a fault nobody knows what the file holds, so the server refuses all requests until its restart.</summary>
    [Fact]
    public Task G1_G2_G3_Failed_syncs_lose_no_acknowledged_event() => RunFatalAsync(DiskFault.SyncFails);

    [Fact]
    public Task G1_G2_G3_Failed_writes_lose_no_acknowledged_event() => RunFatalAsync(DiskFault.WriteFails);

    /// <summary>SQLite rolls the transaction back, and the server continues when there is space again.</summary>
    [Fact]
    public async Task G1_G2_G3_Refused_space_loses_no_acknowledged_event()
    {
        await using var node = new Node();
        using var disk = await FaultLibrary.AddAsync(node.Settings, node.Data);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("no space left", () => node.Address);
        await load.MoreAsync();
        disk.Set(DiskFault.DiskIsFull);
        await RequireSilenceAsync(node, load, disk);
        disk.Set(DiskFault.None);
        await load.MoreAsync();
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    [Fact]
    public async Task G1_G2_G3_Short_writes_and_slow_syncs_lose_no_event()
    {
        await using var node = new Node();
        using var disk = await FaultLibrary.AddAsync(node.Settings, node.Data);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("short writes, slow syncs", () => node.Address);
        await load.MoreAsync();
        disk.Set(DiskFault.WriteIsShort);
        await load.MoreAsync();
        Assert.True(disk.Hits > 0);
        await node.RestartAsync();
        await load.MoreAsync();
        disk.Set(DiskFault.SyncIsSlow, TimeSpan.FromSeconds(1.5));
        await load.MoreAsync(10);
        Assert.True(disk.Hits > 0);
        disk.Set(DiskFault.None);
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>PostgreSQL ends when a sync fails, because the kernel may have dropped the data; its restart repeats the log.</summary>
    [Fact]
    public async Task G1_G2_G3_Failed_syncs_of_PostgreSQL_lose_no_acknowledged_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
        await postgres.StopAsync();
        using var disk = await FaultLibrary.AddAsync(postgres.Variables, postgres.Data);
        await postgres.StartAsync();
        await using var node = new Node("--store", postgres.ConnectionString);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("failed syncs, PostgreSQL", () => node.Address);
        await load.MoreAsync();
        disk.Set(DiskFault.SyncFails);
        await RequireSilenceAsync(node, load, disk);
        disk.Set(DiskFault.None);
        await postgres.StopAsync("QUIT");
        await postgres.StartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    private static async Task RunFatalAsync(DiskFault fault)
    {
        await using var node = new Node();
        using var disk = await FaultLibrary.AddAsync(node.Settings, node.Data);
        await node.StartAsync();
        await using var load = await Workload.StartAsync(
            fault == DiskFault.SyncFails ? "failed syncs" : "failed writes",
            () => node.Address
        );
        await load.MoreAsync();
        disk.Set(fault);
        await RequireSilenceAsync(node, load, disk);
        await node.WhenSeenAsync("The store has failed and refuses all requests. Check the disk, then restart the process.");
        using var api = new Api(node.Address, "operator");
        var ready = await api.Client.SendJsonAsync("GET", "/healthz/ready");
        Assert.Equal(503, ready.Status);
        disk.Set(DiskFault.None);
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>Waits until calls have failed, and then requires that nothing is acknowledged.</summary>
    private static async Task RequireSilenceAsync(Node node, Workload load, FaultLibrary disk)
    {
        await Eventually.TrueAsync(() => disk.Hits > 0, () => node.Output);
        using var api = new Api(node.Address, "prober");
        // The requests that were in the pipeline have their answers when one more has.
        await ProbeAsync(api, load.History, "probe:1");
        var before = load.History.Acknowledged;
        Assert.NotEqual(Outcome.Acknowledged, await ProbeAsync(api, load.History, "probe:2"));
        Assert.Equal(before, load.History.Acknowledged);
    }

    private static async Task<Outcome?> ProbeAsync(Api api, History history, string id)
    {
        history.Begin(id);
        var body = new
        {
            topic = "worlds/0",
            type = "e",
            data = new { id },
        };
        var outcome = Api.Conclude(history, id, await api.SendAsync(HttpMethod.Post, "/dunlin/v1/events", body));
        if (outcome == Outcome.Refused)
            history.Refuse(id);
        return outcome;
    }
}
