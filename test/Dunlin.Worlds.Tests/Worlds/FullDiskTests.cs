using System.Globalization;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Faults;
using Dunlin.Worlds.Tests.Histories;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>Real disks without space, under the store and under the log.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task G1_G2_G3_Full_disk_under_SQLite_loses_no_event()
    {
        await using var node = new Node();
        await using var disk = await SmallDisk.MountAsync(node.Data, 12);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("full disk, SQLite", () => node.Address);
        await load.MoreAsync();
        disk.Fill();
        await RequireRefusedAsync(node.Address, load);
        disk.Free();
        await load.MoreAsync();
        disk.Fill();
        await RequireRefusedAsync(node.Address, load);
        await node.KillAsync();
        disk.Free();
        await node.StartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    [Fact]
    public async Task G1_G2_G3_Full_disk_under_PostgreSQL_loses_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
        await postgres.StopAsync();
        await using var disk = await SmallDisk.MountAsync(postgres.Data, 160);
        await postgres.StartAsync();
        await using var node = new Node("--store", postgres.ConnectionString);
        await node.StartAsync();
        await using var load = await Workload.StartAsync("full disk, PostgreSQL", () => node.Address);
        await load.MoreAsync();
        disk.Fill();
        await RequireRefusedAsync(node.Address, load);
        disk.Free();
        // The server may have ended: without space for its log it stops.
        await postgres.StopAsync("QUIT");
        await postgres.StartAsync();
        await load.MoreAsync();
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>The server works without its log, and continues to write it when there is space again.</summary>
    [Fact]
    public async Task G1_G2_G3_Full_disk_under_the_log_loses_no_event()
    {
        var logs = Directory.CreateTempSubdirectory("dunlin-logs-");
        await using (var disk = await SmallDisk.MountAsync(logs.FullName, 1))
        {
            var file = Path.Combine(logs.FullName, "dunlin.log");
            await using var node = new Node { OutputFile = file };
            node.Settings["Logging__LogLevel__Default"] = "Debug";
            await node.StartAsync();
            await using var load = await Workload.StartAsync("full disk, log", () => node.Address);
            await load.MoreAsync();
            disk.Fill();
            // The last page of the log has space.
            await load.MoreAsync();
            var full = new FileInfo(file).Length;
            await load.MoreAsync();
            Assert.Equal(full, new FileInfo(file).Length);
            disk.Free();
            await load.MoreAsync();
            await Eventually.TrueAsync(() => new FileInfo(file).Length > full);
            await load.FinishAsync();
        }
        logs.Delete(recursive: true);
    }

    /// <summary>Publishes large events until the server says that it stored nothing.</summary>
    private static async Task RequireRefusedAsync(Uri address, Workload load)
    {
        using var api = new Api(address, "filler");
        Answer? answer = null;
        await Eventually.TrueAsync(
            async () =>
            {
                var id = string.Create(CultureInfo.InvariantCulture, $"filler:{Guid.NewGuid():N}");
                var body = new
                {
                    topic = "worlds/0",
                    type = "e",
                    data = new { id, text = new string('x', 60_000) },
                };
                load.History.Begin(id);
                answer = await api.SendAsync(HttpMethod.Post, "/dunlin/v1/events", body);
                if (answer.Status == 200)
                    load.History.Acknowledge(id, Place.Parse(answer.Body.GetProperty("positions")[0].GetString()!));
                else if (answer.Code is not (null or "outcome_unknown"))
                    load.History.Refuse(id);
                return answer is { Status: 503, Code: "store_unavailable" };
            },
            () => $"{answer}"
        );
        Assert.Contains("nothing was stored", answer!.Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
