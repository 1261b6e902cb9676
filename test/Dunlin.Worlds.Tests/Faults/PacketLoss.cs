using System.Globalization;
using Dunlin.TestKit.Servers;

namespace Dunlin.Worlds.Tests.Faults;

/// <summary>Drops packets from and to ports of this machine, in the kernel below TCP, with a table of nftables. Needs root.</summary>
internal sealed class PacketLoss : IAsyncDisposable
{
    private readonly string _table = string.Create(CultureInfo.InvariantCulture, $"dunlin_test_{Guid.NewGuid():N}");
    private readonly string _ports;

    private PacketLoss(int[] ports) => _ports = "{ " + string.Join(", ", ports.Select(Text)) + " }";

    /// <summary>Adds the table, which drops nothing yet.</summary>
    /// <param name="ports">The TCP ports whose packets are dropped.</param>
    /// <exception cref="InvalidOperationException">The user may not filter packets, or the kernel cannot.</exception>
    public static async Task<PacketLoss> AddAsync(params int[] ports)
    {
        var loss = new PacketLoss(ports);
        await RunAsync($"add table ip {loss._table}; add chain ip {loss._table} packets {{ type filter hook input priority 0; }}");
        return loss;
    }

    /// <summary>Changes the share of packets that are dropped, in both directions.</summary>
    /// <param name="percent">0 to 100. 100 cuts the ports off without an answer.</param>
    public async Task SetAsync(int percent)
    {
        await RunAsync($"flush chain ip {_table} packets");
        if (percent == 0)
            return;
        // nft refuses a comparison that is always true.
        var some = percent == 100 ? "" : $"numgen random mod 100 < {Text(percent)} ";
        foreach (var side in (string[])["dport", "sport"])
            await RunAsync($"add rule ip {_table} packets tcp {side} {_ports} {some}counter drop");
    }

    /// <summary>Returns the number of packets that were dropped since <see cref="SetAsync"/>.</summary>
    public async Task<long> CountAsync()
    {
        await using var nft = ServerProcess.Start(Program(), ["list", "table", "ip", _table]);
        await nft.WhenExitedAsync();
        var words = nft.Output.Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words
            .Index()
            .Where(word => word.Item == "counter") // counter packets 12 bytes 720
            .Sum(word => long.Parse(words[word.Index + 2], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync() => await RunAsync($"delete table ip {_table}");

    private static Task RunAsync(string command) => ServerProcess.RunAsync(Program(), [command]);

    private static string Program() => ServerProcess.Find("nft", "nftables");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
