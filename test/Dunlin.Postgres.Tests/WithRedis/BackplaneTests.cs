using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Redis;
using Dunlin.Redis.Backplane;
using Dunlin.TestKit.Conformance;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres.Tests.WithRedis;

public sealed class TogetherBackplaneTests() : TogetherBackplaneConformance(isRedisThere: true);

/// <summary>All messages travel through the store, because Redis is missing.</summary>
public sealed class TogetherWithoutRedisBackplaneTests() : TogetherBackplaneConformance(isRedisThere: false);

public abstract class TogetherBackplaneConformance(bool isRedisThere) : BackplaneConformance
{
    private readonly string _endpoint = isRedisThere ? SharedRedis.Endpoint : $"127.0.0.1:{ServerProcess.FreePort()},connectTimeout=200";
    private readonly string _channel = SharedRedis.NewChannel();
    private readonly List<(RedisBackplane Redis, PostgresBackplane Store)> _backplanes = [];
    private Backend? _backend;

    protected override bool CarriesHints => isRedisThere;

    internal override async ValueTask<IBackplane> ConnectAsync(IBackplaneNode node)
    {
        _backend ??= await Backend.NewAsync();
        var store = await _backend.OpenAsync();
        var beneath = new PostgresBackplane(store, NullLogger<PostgresBackplane>.Instance);
        var backplane = new RedisBackplane(
            Options.Create(new RedisOptions { Configuration = _endpoint, Channel = _channel }),
            new ServiceCollection().AddSingleton<IJournal>(store).BuildServiceProvider(),
            NullLogger<RedisBackplane>.Instance,
            beneath
        );
        _backplanes.Add((backplane, beneath));
        backplane.Attach(node);
        await beneath.StartAsync(Cancellation);
        await beneath.Listening.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        await backplane.ConnectAsync();
        if (isRedisThere)
            await NodeHost.WhenAsync(() => backplane.IsHearing);
        return backplane;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var (redis, store) in _backplanes)
        {
            redis.Dispose();
            await store.StopAsync(CancellationToken.None);
        }
        if (_backend is not null)
            await _backend.DisposeAsync();
    }
}
