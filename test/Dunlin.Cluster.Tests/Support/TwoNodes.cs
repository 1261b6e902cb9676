using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Backplane;
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
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-two-");
    private readonly List<HttpClient> _clients = [];
    private readonly WebApplication?[] _apps = new WebApplication?[2];
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
            nodes._apps[i] = await nodes.StartNodeAsync(i, configure);
        return nodes;
    }

    public IServiceProvider Services(int node) => _apps[node]!.Services;

    /// <summary>A session of a user. Its clients differ in the node that they talk to, and share the token.</summary>
    public async Task<HttpClient[]> SignInAsync(string user, string? device = null)
    {
        var clients = new[] { NewClient(0, device), NewClient(1, device) };
        using var login = await clients[0].PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = DemoData.Password });
        var answer = await login.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(login.IsSuccessStatusCode, answer.ToString());
        foreach (var client in clients)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                answer.GetProperty("accessToken").GetString()
            );
        return clients;
    }

    /// <summary>Completes when both have heard of each other, which they let each other know every few seconds.</summary>
    public async Task KnowEachOtherAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (Services(0).GetRequiredService<NodeQuestions>().Others != 1 || Services(1).GetRequiredService<NodeQuestions>().Others != 1)
        {
            _time?.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>Completes when a node knows of no other. In less time than after which it would forget a silent one.</summary>
    public async Task IsAloneAsync(int node)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8), TimeProvider.System);
        while (Services(node).GetRequiredService<NodeQuestions>().Others != 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
    }

    /// <summary>Stops a node; what its pages hold stays as it is.</summary>
    public async Task StopAsync(int node)
    {
        if (_apps[node] is not { } app)
            return;
        _apps[node] = null;
        await app.StopAsync();
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await StopAsync(0);
        await StopAsync(1);
        if (_redis is not null)
            await _redis.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private HttpClient NewClient(int node, string? device)
    {
        var address = Services(node).GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = new Uri(address),
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (device is not null)
            client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        _clients.Add(client);
        return client;
    }

    private async Task<WebApplication> StartNodeAsync(int node, Action<int, IServiceCollection>? configure)
    {
        var settings = new HostSettings
        {
            Port = 0,
            Data = _folder.FullName,
            Demo = true,
            Store = _postgres.ConnectionString + ";Maximum Pool Size=20",
            Redis = _redis?.Endpoint,
        };
        var app = HostApplication.Build(
            settings,
            services =>
            {
                if (_time is not null)
                {
                    services.AddSingleton<TimeProvider>(_time);
                    // It leaps, and what is under way would be given up for what it leapt over.
                    services.Configure<PostgresOptions>(postgres => postgres.WriteLimit = TimeSpan.FromHours(1));
                }
                services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 10);
                services.AddLogging(logging => logging.ClearProviders());
                services.Configure<HostingOptions>(hosting => hosting.DrainWindow = TimeSpan.Zero);
                services.Remove(services.Single(s => s.ImplementationType == typeof(Announcement)));
                configure?.Invoke(node, services);
            }
        );
        await app.StartAsync();
        return app;
    }
}
