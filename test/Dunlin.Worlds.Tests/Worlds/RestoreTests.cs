using Dunlin.Worlds.Tests.Histories;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>A store that goes back to an earlier state under its readers.</summary>
public sealed class RestoreTests
{
    [Fact]
    public async Task G2_G3_Restored_backup_resets_live_readers_into_another_epoch()
    {
        await using var node = new Node();
        await node.StartAsync();
        await using var load = await Workload.StartAsync("restored backup", () => node.Address);
        await load.MoreAsync();
        var kept = load.History.AcknowledgedIds();
        var backup = Path.Combine(node.Folder, "backup.db");
        await RunAsync(node, "backup", "--to", backup, "--data", node.Data);
        await load.MoreAsync();
        await node.KillAsync();
        load.History.WentBack = Api.Now;
        var lost = load.History.AcknowledgedIds();
        await RunAsync(node, "restore", "--from", backup, "--data", node.Data, "--replace");
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

    private static async Task RunAsync(Node node, params string[] command)
    {
        var result = await node.RunOtherAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "dunlin.dll"), .. command]);
        Assert.True(result.Code == 0, result.Output + result.Error);
    }
}
