using System.Globalization;
using System.Net.Sockets;
using Dunlin.Host;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>
/// Three nodes on one PostgreSQL and one Redis, each behind a proxy that can cut its connection, and nginx in front of them.
/// </summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly List<ClusterNode> _nodes = [];
    private readonly List<TcpProxy> _lines = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-nginx-");
    private ServerProcess? _nginx;

    public PostgresServer Postgres { get; private set; } = null!;

    public RedisServer Redis { get; private set; } = null!;

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    /// <summary>Each node's proxy to the database.</summary>
    public IReadOnlyList<TcpProxy> Lines => _lines;

    /// <summary>The address of nginx.</summary>
    public Uri Address { get; private set; } = null!;

    public static async Task<Site> StartAsync(IEnumerable<string> accounts)
    {
        var site = new Site { Postgres = await PostgresServer.StartNewAsync(), Redis = await RedisServer.StartNewAsync() };
        foreach (var name in new[] { "a", "b", "c" })
        {
            var line = new TcpProxy(site.Postgres.Port);
            site._lines.Add(line);
            var store = new NpgsqlConnectionStringBuilder(site.Postgres.ConnectionString)
            {
                Port = line.Port,
                MaxPoolSize = 40,
                Timeout = 5,
                SslMode = SslMode.Disable,
            };
            site._nodes.Add(new ClusterNode(name, store.ConnectionString, site.Redis.Endpoint, string.Join(',', accounts)));
        }
        await Task.WhenAll(site._nodes.Select(node => node.StartAsync()));
        await site.StartNginxAsync();
        return site;
    }

    /// <summary>Returns a client of nginx that is signed in.</summary>
    public async Task<HttpClient> SignInAsync(string user)
    {
        var client = TestClients.New(Address);
        await client.SignInAsync(user, DemoData.Password);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
            await _nginx.DisposeAsync();
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var line in _lines)
            await line.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Starts nginx with the file of <c>deploy/</c> and the ports of this run.</summary>
    private async Task StartNginxAsync()
    {
        var port = ServerProcess.FreePort();
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "nginx-cluster.conf"));
        for (var i = 0; i < 3; i++)
            text = Replace(text, $"127.0.0.1:508{i + 1}", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_nodes[i].Port}"));
        text = Replace(text, "127.0.0.1:8080", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        text = Replace(text, "worker_processes auto;", "worker_processes 1;");
        text = Replace(
            text,
            "worker_rlimit_nofile 200000;",
            "daemon off; pid nginx.pid;" + (Environment.UserName == "root" ? " user root;" : "")
        );
        text = Replace(text, "worker_connections 65535;", "worker_connections 2048;");
        var file = Path.Combine(_folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(file, text);
        _nginx = ServerProcess.Start(ServerProcess.Find("nginx", "nginx"), ["-p", _folder.FullName, "-c", file]);
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        using var probe = new HttpClient { BaseAddress = Address };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await probe.GetAsync("/healthz/ready");
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception error) when (error is HttpRequestException or SocketException && attempt < 200)
            {
                // nginx does not listen yet.
            }
            Assert.False(_nginx.HasExited || attempt >= 200, $"nginx does not answer: {_nginx.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static string Replace(string text, string what, string with)
    {
        Assert.Contains(what, text, StringComparison.Ordinal);
        return text.Replace(what, with, StringComparison.Ordinal);
    }
}
