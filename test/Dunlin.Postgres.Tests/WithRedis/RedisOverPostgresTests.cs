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

/// <summary>Redis between nodes over PostgreSQL, and what remains when it is taken away. The poll and the grace are so far away that
/// nothing here comes by them.</summary>
public sealed class RedisOverPostgresTests : IAsyncLifetime
{
    private readonly List<NodeHost> _nodes = [];
    private Backend _backend = null!;
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => (_backend, _redis) = (await Backend.NewAsync(), await RedisServer.StartNewAsync());

    [Fact]
    public async Task A_node_in_step_by_Redis_reads_nothing_of_a_thousand_events()
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
    public async Task While_Redis_is_away_notifications_are_acted_on_at_once_and_when_it_is_back_hints_are_waited_for_again()
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
        // A node that hears again asks for the head, once for each time, and may so learn of an event before its hint comes.
        var asked = reader.Heads - heads;
        Assert.InRange(asked, 0, 10);
        Assert.InRange(reader.Pages - pages, 0, asked);
    }

    [Fact]
    public async Task A_Redis_that_stands_still_with_its_lines_open_is_not_waited_for()
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
    public async Task Whatever_is_done_to_Redis_no_event_is_lost_and_the_nodes_find_each_other_again(string what)
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
        // One that was under way is lost; what is said again is heard, by whichever way.
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
    public async Task Transient_events_go_through_the_store_while_Redis_is_away_and_each_comes_once()
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
    public async Task A_node_that_alone_has_lost_Redis_hears_and_is_heard_through_the_store_and_nobody_hears_twice()
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
        // They have heard now that somebody is there through the store only.
        first.Type(2);
        await AllHearAsync(2);
        cut.Type(3);
        await AllHearAsync(3);
    }

    [Fact]
    public async Task However_often_Redis_goes_and_comes_no_transient_event_is_doubled()
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
        // One last word each way, behind everything that is still on it.
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
    public async Task Whichever_is_added_first_Redis_leans_on_the_store(bool isStoreFirst)
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
