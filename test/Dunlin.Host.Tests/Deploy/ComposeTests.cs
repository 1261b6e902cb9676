using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Dunlin.Host.Tests.Deploy;

/// <summary>Checks <c>deploy/compose.yaml</c> against the host and nginx with <c>nginx-cluster.conf</c>.</summary>
public sealed partial class ComposeTests
{
    private readonly Dictionary<object, object> _services;
    private readonly Dictionary<string, Dictionary<object, object>> _nodes;
    private readonly string _nginx = File.ReadAllText(Path.Combine(Deploy, "nginx-cluster.conf"));

    public ComposeTests()
    {
        using var text = File.OpenText(Path.Combine(Deploy, "compose.yaml"));
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(new MergingParser(new Parser(text)));
        _services = Map(file["services"]);
        _nodes = _services
            .Where(service => Map(service.Value).TryGetValue("image", out var image) && image is "dunlin")
            .ToDictionary(service => (string)service.Key, service => Map(service.Value), StringComparer.Ordinal);
    }

    private static string Deploy => Path.Combine(Repository.Root, "deploy");

    [Fact]
    public void The_nodes_match_nginx_and_use_valid_options_and_settings()
    {
        var ports = new List<int>();
        foreach (var node in _nodes.Values)
        {
            var settings = HostSettings.Parse([.. Texts(node["command"])]);
            Assert.Null(settings.Error);
            Assert.False(settings.Demo);
            ports.Add(settings.Port);
            var environment = Map(node["environment"]);
            Assert.Empty(KnownSettings.Unknown(environment.Keys.Cast<string>()));
            // nginx and the nodes share the host network, so the nodes must trust its loopback address as a proxy.
            Assert.Equal(("host", "127.0.0.1"), (node["network_mode"], environment["Dunlin__TrustedProxies"]));
        }
        Assert.Equal(NginxPorts(), ports);
        Assert.Equal("host", Map(_services["nginx"])["network_mode"]);
        Assert.Equal("./nginx-cluster.conf:/etc/nginx/nginx.conf:ro", Assert.Single(Texts(Map(_services["nginx"])["volumes"])));
        Assert.Equal(
            _nodes.Keys.Order(StringComparer.Ordinal),
            Map(Map(_services["nginx"])["depends_on"]).Keys.Cast<string>().Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_image_runs_its_program_with_valid_options_and_data_paths()
    {
        var image = Dockerfile.Read();
        Assert.Equal(["dotnet", "/opt/dunlin/Dunlin.Host.dll"], image.EntryPoint);
        var settings = HostSettings.Parse([.. image.Options]);
        Assert.Null(settings.Error);
        foreach (var (name, node) in _nodes)
        {
            Assert.Equal(settings.Data, HostSettings.Parse([.. Texts(node["command"])]).Data);
            Assert.Equal($"{name}:{settings.Data}", Assert.Single(Texts(node["volumes"])));
            Assert.Equal(("..", "deploy/Dockerfile"), (Map(node["build"])["context"], Map(node["build"])["dockerfile"]));
        }
    }

    [Fact]
    public void The_nodes_find_the_databases_with_enough_connections()
    {
        var environment = Map(_nodes.Values.First()["environment"]);
        var store = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = (string)environment["Dunlin__Store"] };
        var postgres = Map(_services["postgres"]);
        var settings = Map(postgres["environment"]);
        Assert.Equal(
            (settings["POSTGRES_USER"], settings["POSTGRES_DB"], settings["POSTGRES_PASSWORD"]),
            (store["Username"], store["Database"], store["Password"])
        );
        Assert.Equal($"{store["Host"]}:5432:5432", Assert.Single(Texts(postgres["ports"])));
        Assert.Equal($"{environment["Dunlin__Redis"]}:6379", Assert.Single(Texts(Map(_services["redis"])["ports"])));
        var connections = Texts(postgres["command"]).Single(word => word.StartsWith("max_connections=", StringComparison.Ordinal))[
            "max_connections=".Length..
        ];
        Assert.True(
            int.Parse(connections, CultureInfo.InvariantCulture) > _nodes.Count * 100,
            "100 for each node, unless its connection string says otherwise"
        );
        foreach (var (name, value) in _services)
        {
            var service = Map(value);
            Assert.True(service.ContainsKey("healthcheck") || name is "nginx", $"{name} has no health check");
            foreach (var (other, when) in service.TryGetValue("depends_on", out var others) ? Map(others) : [])
                Assert.True(_services.ContainsKey(other) && Map(when)["condition"] is "service_healthy", $"{name} waits for {other}");
        }
    }

    [Fact]
    public async Task The_health_check_of_a_node_succeeds_only_when_it_is_ready()
    {
        await using var host = new HostProcess();
        await host.StartAsync("--no-demo");
        foreach (var node in _nodes.Values)
        {
            var port = HostSettings.Parse([.. Texts(node["command"])]).Port.ToString(CultureInfo.InvariantCulture);
            var check = Texts(Map(node["healthcheck"])["test"]);
            Assert.Equal(["CMD", "bash", "-c"], check[..3]);
            Assert.Contains("/" + port + " ", check[3], StringComparison.Ordinal);
            Assert.Equal(0, await RunAsync(check[3].Replace(port, $"{host.Port}", StringComparison.Ordinal)));
            // A server that is not ready, and no server.
            Assert.NotEqual(
                0,
                await RunAsync(
                    check[3]
                        .Replace(port, $"{host.Port}", StringComparison.Ordinal)
                        .Replace("/healthz/ready", "/nowhere", StringComparison.Ordinal)
                )
            );
            Assert.NotEqual(0, await RunAsync(check[3].Replace(port, $"{ServerProcess.FreePort()}", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Nginx_passes_the_largest_body_that_the_server_accepts()
    {
        foreach (var file in new[] { "nginx.conf", "nginx-cluster.conf" })
        {
            var megabytes = int.Parse(
                BodySize().Match(File.ReadAllText(Path.Combine(Deploy, file))).Groups[1].Value,
                CultureInfo.InvariantCulture
            );
            Assert.True(megabytes * 1024L * 1024 > new RxDb.RxDbOptions().MaxPushBytes, $"{file}: {megabytes} MiB");
        }
    }

    private List<int> NginxPorts() =>
        [.. Upstream().Matches(_nginx).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    private static Dictionary<object, object> Map(object value) => (Dictionary<object, object>)value;

    private static List<string> Texts(object value) => [.. ((List<object>)value).Cast<string>()];

    private static async Task<int> RunAsync(string script)
    {
        using var process = Process.Start(
            new ProcessStartInfo("bash", ["-c", script])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    [GeneratedRegex(@"server 127\.0\.0\.1:(\d+) ")]
    private static partial Regex Upstream();

    [GeneratedRegex(@"client_max_body_size (\d+)m;")]
    private static partial Regex BodySize();
}
