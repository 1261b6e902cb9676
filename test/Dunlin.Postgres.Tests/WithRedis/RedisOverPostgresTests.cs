using System.Globalization;
using Dunlin.Backplane;
using Dunlin.Cluster;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Redis.Backplane;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Postgres.Tests.WithRedis;

/// <summary>
/// Redis between nodes on PostgreSQL, and the behaviour without it. Poll interval and grace are so long that they cause nothing here.
/// </summary>
public sealed class RedisOverPostgresTests : IAsyncLifetime
{
    private readonly List<NodeHost> _nodes = [];
    private Backend _backend = null!;
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => (_backend, _redis) = (await Backend.NewAsync(), await RedisServer.StartNewAsync());

    [Fact]
    public async Task A_node_in_step_through_Redis_reads_none_of_1000_events()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        var heads = reader.Heads;
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 125; i++)
                            await writer.AppendAsync(i);
                    })
                )
        );
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), await reader.NextAsync(1_000));
        await reader.WhenToldAsync(writer.Store.Head);
        Assert.Equal((heads, 0), (reader.Heads, reader.Pages));
    }

    [Fact]
    public async Task Without_Redis_NOTIFY_is_handled_at_once_and_with_it_the_grace_applies()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        await _redis.StopAsync();
        await NodeHost.WhenAsync(() => !Hears(reader));
        for (var i = 1; i <= 10; i++)
        {
            await writer.AppendAsync(i);
            Assert.Equal(i, (await reader.NextAsync()).Position.Offset);
        }
        Assert.True(reader.Pages > 0);
        var (heads, pages) = (reader.Heads, reader.Pages);
        await _redis.StartAsync();
        await NodeHost.WhenAsync(() => Hears(reader) && Hears(writer));
        for (var i = 11; i <= 30; i++)
        {
            await writer.AppendAsync(i);
            Assert.Equal(i, (await reader.NextAsync()).Position.Offset);
        }
        // A node that reconnects reads the head once per reconnect, so it may learn of an event before its notification.
        var asked = reader.Heads - heads;
        Assert.InRange(asked, 0, 10);
        Assert.InRange(reader.Pages - pages, 0, asked);
    }

    [Fact]
    public async Task A_hung_Redis_with_open_connections_is_not_waited_for()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        Assert.Equal("+OK", await _redis.TrySendAsync("CLIENT PAUSE 60000 ALL"));
        await NodeHost.WhenAsync(() => !Hears(reader) && !Hears(writer));
        await writer.AppendAsync();
        Assert.Equal(1, (await reader.NextAsync()).Position.Offset);
        writer.Type(1);
        Assert.Equal(1, await reader.TypedAsync());
    }

    [Theory]
    [InlineData("FLUSHALL")]
    [InlineData("CLIENT KILL TYPE pubsub")]
    [InlineData("CLIENT KILL TYPE normal")]
    [InlineData("restart")]
    public async Task Redis_faults_lose_no_event_and_nodes_find_each_other_again(string what)
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        for (var round = 0; round < 3; round++)
        {
            if (what == "restart")
            {
                await _redis.StopAsync();
                await _redis.StartAsync();
            }
            else
            {
                Assert.NotNull(await _redis.TrySendAsync(what));
            }
            for (var i = 0; i < 10; i++)
                await writer.AppendAsync(i);
            Assert.Equal(Enumerable.Range((10 * round) + 1, 10).Select(i => (long)i), await reader.NextAsync(10));
        }
        // A message in flight is lost; repeated messages arrive on either path.
        for (var i = 0; !reader.HasTyped; i++)
        {
            writer.Type(i);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Backend.Cancellation);
        }
        await NodeHost.WhenAsync(() =>
            _nodes.TrueForAll(node => Hears(node) && node.Services.GetRequiredService<ClusterQuery>().Others == 1)
        );
    }

    [Fact]
    public async Task Transient_events_use_the_store_without_Redis_and_arrive_once()
    {
        var (writer, reader) = (await StartAsync(), await StartAsync());
        writer.Type(1);
        Assert.Equal(1, await reader.TypedAsync());
        await _redis.StopAsync();
        await NodeHost.WhenAsync(() => !Hears(writer) && !Hears(reader));
        for (var i = 2; i <= 50; i++)
            writer.Type(i);
        for (var i = 2; i <= 50; i++)
            Assert.Equal(i, await reader.TypedAsync());
        await _redis.StartAsync();
        await NodeHost.WhenAsync(() => Hears(reader) && Hears(writer));
        writer.Type(51);
        Assert.Equal(51, await reader.TypedAsync());
        Assert.False(reader.HasTyped);
    }

    [Fact]
    public async Task A_node_without_Redis_sends_and_receives_once_through_the_store()
    {
        await using var line = new TcpProxy(_redis.Port);
        var (first, second) = (await StartAsync(), await StartAsync());
        var cut = await StartAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{line.Port}"));
        line.Block();
        await NodeHost.WhenAsync(() => !Hears(cut));
        NodeHost[] all = [first, second, cut];
        async Task AllHearAsync(int expected) =>
            Assert.All(await Task.WhenAll(all.Select(node => node.TypedAsync())), typed => Assert.Equal(expected, typed));
        cut.Type(1);
        await AllHearAsync(1);
        // From here on the first two nodes know that the third is reachable only through the store.
        first.Type(2);
        await AllHearAsync(2);
        cut.Type(3);
        await AllHearAsync(3);
    }

    [Fact]
    public async Task Repeated_Redis_outages_duplicate_no_transient_event()
    {
        var random = TestSeed.NewRandom(out _);
        await using var line = new TcpProxy(_redis.Port);
        var through = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{line.Port}");
        var (writer, reader) = (await StartAsync(random.Next(2) == 0 ? through : null), await StartAsync(through));
        using var stop = new CancellationTokenSource();
        var said = 0;
        var talking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                writer.Type(Interlocked.Increment(ref said));
                if (said % 5 == 0)
                    await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
            }
        });
        for (var round = 0; round < 6; round++)
        {
            if (random.Next(2) == 0)
                line.Cut();
            else
                line.Block();
            var before = Volatile.Read(ref said);
            await NodeHost.WhenAsync(() => Volatile.Read(ref said) > before + 300);
            line.Restore();
            if (random.Next(2) == 0)
                await NodeHost.WhenAsync(() => Hears(reader));
        }
        await stop.CancelAsync();
        await talking;
        await NodeHost.WhenAsync(() => Hears(reader) && Hears(writer));
        // One last message on each path, behind everything that is still in flight.
        writer.Type(-1);
        writer.StoreBackplane.Send(
            new NumberedEvent("", long.MaxValue / 2, DunlinEvent.Transient(NodeHost.Typed(-2), DateTimeOffset.UnixEpoch))
        );
        var heard = new List<int>();
        while (!heard.Contains(-1) || !heard.Contains(-2))
            heard.Add(await reader.TypedAsync());
        Assert.Equal(heard.Count, heard.Distinct().Count());
        Assert.True(heard.Count > 300, $"only {heard.Count} of {said}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redis_wraps_the_store_in_either_order_of_registration(bool isStoreFirst)
    {
        var dunlin = new ServiceCollection().AddDunlinCore();
        if (isStoreFirst)
            dunlin.AddPostgres(_backend.ConnectionString);
        dunlin.AddRedisBackplane(_redis.Endpoint);
        if (!isStoreFirst)
            dunlin.AddPostgres(_backend.ConnectionString);
        await using var services = dunlin.Services.BuildServiceProvider();
        Assert.IsType<RedisBackplane>(services.GetRequiredService<IBackplane>());
        Assert.IsType<PostgresBackplane>(services.GetRequiredService<IStoreBackplane>());
        await using var alone = new ServiceCollection()
            .AddDunlinCore()
            .AddPostgres(_backend.ConnectionString)
            .Services.BuildServiceProvider();
        Assert.IsType<PostgresBackplane>(alone.GetRequiredService<IBackplane>());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _redis.DisposeAsync();
        await _backend.DisposeAsync();
    }

    private static bool Hears(NodeHost node) => node.Services.GetRequiredService<RedisBackplane>().IsHearing;

    private async Task<NodeHost> StartAsync(string? endpoint = null)
    {
        var node = await NodeHost.StartAsync(
            _backend.ConnectionString,
            options => (options.PollInterval, options.HintGrace) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)),
            dunlin =>
                dunlin.AddRedisBackplane(options => (options.Configuration, options.Channel) = (endpoint ?? _redis.Endpoint, "dunlin"))
        );
        _nodes.Add(node);
        await NodeHost.WhenAsync(() => Hears(node) && node.Heads >= 2);
        return node;
    }
}
