using System.Globalization;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>Servers behind the nodes that fail and are replaced.</summary>
public sealed class FailOverTests
{
    /// <summary>A commit that was acknowledged is on both servers, so the promoted standby has it.</summary>
    [Fact]
    public async Task G1_G2_G3_PostgreSQL_fail_over_to_a_synchronous_standby_loses_no_event()
    {
        await using var primary = await PostgresServer.StartNewAsync();
        await using var standby = await primary.StartStandbyAsync();
        var store = string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1:{primary.Port},127.0.0.1:{standby.Port};Username=postgres;Database=postgres;Target Session Attributes=primary"
        );
        await using var one = new Node("--store", store);
        await using var two = new Node("--store", store);
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await using var load = await Workload.StartAsync("fail-over of PostgreSQL", () => one.Address, () => two.Address);
        await load.MoreAsync();
        await primary.StopAsync("KILL");
        await standby.PromoteAsync();
        await load.MoreAsync();
        await one.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>The promoted replica lacks the last notifications, and the nodes learn of the fail-over late.</summary>
    [Fact]
    public async Task G2_G6_Redis_fail_over_with_lost_writes_loses_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var redis = await RedisServer.StartNewAsync();
        await using var replica = await RedisServer.StartNewAsync();
        await using var replication = new TcpProxy(redis.Port);
        await using var entry = new TcpProxy(redis.Port);
        Assert.Equal(
            "+OK",
            await replica.TrySendAsync(string.Create(CultureInfo.InvariantCulture, $"REPLICAOF 127.0.0.1 {replication.Port}"))
        );
        var at = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{entry.Port}");
        await using var one = new Node("--store", postgres.ConnectionString, "--redis", at);
        await using var two = new Node("--store", postgres.ConnectionString, "--redis", at);
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await using var load = await Workload.StartAsync("fail-over of Redis", () => one.Address, () => two.Address);
        await load.MoreAsync();
        // From here on the replica receives nothing.
        replication.Block();
        await load.MoreAsync();
        await redis.StopAsync();
        await load.MoreAsync();
        Assert.Equal("+OK", await replica.TrySendAsync("REPLICAOF NO ONE"));
        entry.TargetPort = replica.Port;
        await load.MoreAsync();
        await load.FinishAsync();
    }

    [Fact]
    public async Task G1_G2_G3_PgBouncer_restarts_lose_no_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var entry = new TcpProxy(0);
        var store = new Npgsql.NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Port = entry.Port }.ConnectionString;
        var bouncer = await PgBouncer.StartAsync(postgres);
        try
        {
            entry.TargetPort = bouncer.Port;
            await using var one = new Node("--store", store);
            await using var two = new Node("--store", store);
            foreach (var node in (Node[])[one, two])
                node.Settings["Dunlin__Postgres__ThroughPooler"] = "true";
            await Task.WhenAll(one.StartAsync(), two.StartAsync());
            await using var load = await Workload.StartAsync("restarts of PgBouncer", () => one.Address, () => two.Address);
            for (var restart = 0; restart < 3; restart++)
            {
                await load.MoreAsync();
                await bouncer.DisposeAsync();
                bouncer = await PgBouncer.StartAsync(postgres);
                entry.TargetPort = bouncer.Port;
            }
            await load.MoreAsync();
            await load.FinishAsync();
        }
        finally
        {
            await bouncer.DisposeAsync();
        }
    }
}
