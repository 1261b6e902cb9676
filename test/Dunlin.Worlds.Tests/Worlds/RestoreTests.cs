using System.Globalization;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Histories;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;
using Npgsql;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>A store that goes back to an earlier state under its readers.</summary>
public sealed class RestoreTests
{
    [Fact]
    public async Task G2_G3_Restored_backup_resets_live_readers_into_another_epoch()
    {
        await using var node = new Node();
        var backup = Path.Combine(node.Folder, "backup.db");
        await RunAsync(
            "restored backup",
            node,
            () => DunlinAsync(node, "backup", "--to", backup, "--data", node.Data),
            () => DunlinAsync(node, "restore", "--from", backup, "--data", node.Data, "--replace")
        );
    }

    [Fact]
    public async Task G2_G3_Restored_dump_of_PostgreSQL_resets_live_readers()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        var store = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = "dunlin" }.ConnectionString;
        string[] server = ["-h", "127.0.0.1", "-U", "postgres", "-p", postgres.Port.ToString(CultureInfo.InvariantCulture)];
        await ServerProcess.RunAsync("createdb", [.. server, "dunlin"]);
        await using var node = new Node("--store", store);
        var backup = Path.Combine(node.Folder, "dunlin.dump");
        await RunAsync(
            "restored dump",
            node,
            () => ServerProcess.RunAsync("pg_dump", [.. server, "--format=custom", $"--file={backup}", "dunlin"]),
            async () =>
            {
                await ServerProcess.RunAsync("dropdb", [.. server, "--force", "dunlin"]);
                await ServerProcess.RunAsync("createdb", [.. server, "dunlin"]);
                await ServerProcess.RunAsync("pg_restore", [.. server, "--dbname=dunlin", backup]);
                await DunlinAsync(node, "restore", "--store", store);
            }
        );
    }

    private static async Task RunAsync(string world, Node node, Func<Task> backUpAsync, Func<Task> restoreAsync)
    {
        await node.StartAsync();
        await using var load = await Workload.StartAsync(world, () => node.Address);
        await load.MoreAsync();
        var kept = load.History.AcknowledgedIds();
        await backUpAsync();
        await load.MoreAsync();
        await node.KillAsync();
        load.History.WentBack = Api.Now;
        var lost = load.History.AcknowledgedIds();
        await restoreAsync();
        await node.StartAsync();
        await load.MoreAsync();
        var figures = await load.FinishAsync(allowsResets: true);
        Assert.True(figures.Resets >= 2, $"{figures}");
        var resets = load.History.Readers.Values.SelectMany(reader => reader).OfType<SeenReset>();
        Assert.All(resets, reset => Assert.Equal("epoch", reset.Reason));
        var journal = load.History.Readers["journal-0"].OfType<SeenEvent>().Select(seen => seen.Id).ToHashSet(StringComparer.Ordinal);
        Assert.Superset(kept, journal!);
        // Otherwise the backup was no older state.
        Assert.NotEmpty(lost.Except(journal!, StringComparer.Ordinal));
    }

    private static async Task DunlinAsync(Node node, params string[] command)
    {
        var result = await node.RunOtherAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "dunlin.dll"), .. command]);
        Assert.True(result.Code == 0, result.Output + result.Error);
    }
}
