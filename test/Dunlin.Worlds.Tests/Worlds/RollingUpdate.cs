using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>
/// Replaces two nodes of an earlier version by nodes of this one, one after the other, under load. A command and not a test, because it
/// needs the program of the earlier version: <c>scripts/rolling-update.sh</c> builds it.
/// </summary>
internal static class RollingUpdate
{
    /// <summary>Runs the world, with PostgreSQL and Redis.</summary>
    /// <param name="earlier">The path of <c>dunlin.dll</c> of the earlier version.</param>
    /// <returns>0.</returns>
    public static async Task<int> RunAsync(string earlier)
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var redis = await RedisServer.StartNewAsync();
        string[] options = ["--store", postgres.ConnectionString, "--redis", redis.Endpoint];
        await using var one = New(earlier);
        await using var two = New(earlier);
        await one.StartAsync(options);
        await two.StartAsync(options);
        await using var first = new Node(options);
        await using var second = new Node(options);
        DunlinProcess[] serving = [one, two];
        await using var load = await Workload.StartAsync("rolling update", false, () => serving[0].Address, () => serving[1].Address);
        await load.MoreAsync();
        // It migrates the schema while the other old node serves.
        await ReplaceAsync(first, 0);
        await load.MoreAsync();
        await load.MoreAsync();
        await ReplaceAsync(second, 1);
        await load.MoreAsync();
        await load.FinishAsync();
        return 0;

        async Task ReplaceAsync(Node node, int place)
        {
            await serving[place].StopAsync();
            await node.StartAsync();
            serving[place] = node;
        }
    }

    private static DunlinProcess New(string program)
    {
        var node = new DunlinProcess(program);
        node.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        return node;
    }
}
