using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Backplane;
using Dunlin.Devices;
using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.Postgres;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>Two nodes in this process over one PostgreSQL, with Redis between them or without.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    private readonly PostgresServer _postgres;
    private readonly RedisServer? _redis;
    private readonly List<HttpClient> _clients = [];
    private readonly DunlinTestHost?[] _hosts = new DunlinTestHost?[2];
    private readonly ManualTime? _time;

    private TwoNodes(PostgresServer postgres, RedisServer? redis, ManualTime? time) => (_postgres, _redis, _time) = (postgres, redis, time);

    /// <param name="withRedis">Whether they have Redis between them.</param>
    /// <param name="time">Their time; null for the real one. On time that stands still every answer of the other node is waited for,
    /// however busy the machine is.</param>
    /// <param name="configure">More services of a node.</param>
    public static async Task<TwoNodes> StartAsync(
        bool withRedis,
        ManualTime? time = null,
        Action<int, IServiceCollection>? configure = null
    )
    {
        var nodes = new TwoNodes(await PostgresServer.StartNewAsync(), withRedis ? await RedisServer.StartNewAsync() : null, time);
        for (var i = 0; i < 2; i++)
            nodes._hosts[i] = await nodes.StartNodeAsync(i, configure);
        return nodes;
    }

    public IServiceProvider Services(int node) => _hosts[node]!.Services;

    /// <summary>A session of a user. Its clients differ in the node that they talk to, and share the token.</summary>
    public async Task<HttpClient[]> SignInAsync(string user, string? device = null)
    {
        var clients = new[] { NewClient(0, device), NewClient(1, device) };
        await clients[0].SignInAsync(user, DemoData.Password);
        clients[1].DefaultRequestHeaders.Authorization = clients[0].DefaultRequestHeaders.Authorization;
        return clients;
    }

    /// <summary>Completes when both have heard of each other, which they let each other know every few seconds.</summary>
    public async Task KnowEachOtherAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (Services(0).GetRequiredService<ClusterQuery>().Others != 1 || Services(1).GetRequiredService<ClusterQuery>().Others != 1)
        {
            _time?.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>Completes when each has answered a question of the other. Time must stand still meanwhile.</summary>
    public async Task HearEachOtherAsync()
    {
        foreach (var host in _hosts.OfType<DunlinTestHost>())
            Assert.Equal(0, (await host.Get<UserDevices>().ConnectionCountAsync("nobody")).UnresponsiveNodes);
    }

    /// <summary>Completes when a node knows of no other. In less time than after which it would forget a silent one.</summary>
    public async Task IsAloneAsync(int node)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8), TimeProvider.System);
        while (Services(node).GetRequiredService<ClusterQuery>().Others != 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
    }

    /// <summary>Stops a node; what its pages hold stays as it is.</summary>
    public Task StopAsync(int node) => _hosts[node]!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        foreach (var host in _hosts.OfType<DunlinTestHost>().Reverse())
            await host.DisposeAsync();
        if (_redis is not null)
            await _redis.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private HttpClient NewClient(int node, string? device)
    {
        var client = TestClients.New(_hosts[node]!.Address);
        if (device is not null)
            client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        _clients.Add(client);
        return client;
    }

    private Task<DunlinTestHost> StartNodeAsync(int node, Action<int, IServiceCollection>? configure) =>
        DunlinTestHost.StartAsync(
            host =>
                DemoHost.Build(
                    host,
                    settings =>
                        settings with
                        {
                            Data = (_hosts[0] ?? host).Folder, // one signing key
                            Store = _postgres.ConnectionString + ";Maximum Pool Size=20",
                            Redis = _redis?.Endpoint,
                        },
                    manualTime: _time is not null,
                    services =>
                    {
                        // Manual time leaps, and what is under way would be given up for what it leapt over.
                        if (_time is not null)
                            services.Configure<PostgresOptions>(postgres => postgres.WriteLimit = TimeSpan.FromHours(1));
                        configure?.Invoke(node, services);
                    }
                ),
            _time
        );
}
