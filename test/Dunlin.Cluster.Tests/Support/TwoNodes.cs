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

/// <summary>Two nodes in this process on one PostgreSQL, with or without Redis.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    private readonly PostgresServer _postgres;
    private readonly RedisServer? _redis;
    private readonly List<HttpClient> _clients = [];
    private readonly DunlinTestHost?[] _hosts = new DunlinTestHost?[2];
    private readonly ManualTime? _time;

    private TwoNodes(PostgresServer postgres, RedisServer? redis, ManualTime? time) => (_postgres, _redis, _time) = (postgres, redis, time);

    /// <summary>Starts the nodes.</summary>
    /// <param name="withRedis">Whether they use Redis.</param>
    /// <param name="time">
    /// Their time; null for the real one. With stopped time no cluster query times out, however busy the machine is.
    /// </param>
    /// <param name="configure">Adds services to a node.</param>
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

    /// <summary>Signs a user in. Returns one client per node with the same token.</summary>
    public async Task<HttpClient[]> SignInAsync(string user, string? device = null)
    {
        var clients = new[] { NewClient(0, device), NewClient(1, device) };
        await clients[0].SignInAsync(user, DemoData.Password);
        clients[1].DefaultRequestHeaders.Authorization = clients[0].DefaultRequestHeaders.Authorization;
        return clients;
    }

    /// <summary>Completes when both nodes have received each other's periodic announcements.</summary>
    public async Task KnowEachOtherAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (Services(0).GetRequiredService<ClusterQuery>().Others != 1 || Services(1).GetRequiredService<ClusterQuery>().Others != 1)
        {
            _time?.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>Completes when each node has answered a query of the other. Time must not advance meanwhile.</summary>
    public async Task HearEachOtherAsync()
    {
        foreach (var host in _hosts.OfType<DunlinTestHost>())
            Assert.Equal(0, (await host.Get<UserDevices>().ConnectionCountAsync("nobody")).UnresponsiveNodes);
    }

    /// <summary>Completes when a node sees no other, earlier than it would drop an unresponsive one.</summary>
    public async Task IsAloneAsync(int node)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8), TimeProvider.System);
        while (Services(node).GetRequiredService<ClusterQuery>().Others != 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
    }

    /// <summary>Stops a node. Leases of its pages stay as they are.</summary>
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
                        // Manual time jumps, and running work would exceed its time limit.
                        if (_time is not null)
                            services.Configure<PostgresOptions>(postgres => postgres.WriteLimit = TimeSpan.FromHours(1));
                        configure?.Invoke(node, services);
                    }
                ),
            _time
        );
}
