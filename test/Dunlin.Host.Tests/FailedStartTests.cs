using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests;

/// <summary>A failed start prints one line, exits with 1 and leaves no files.</summary>
public sealed class FailedStartTests
{
    [Fact]
    public async Task A_port_in_use_is_named_and_nothing_is_created()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var host = new HostProcess();
        await RefusedAsync(host, $"Port {port} of 127.0.0.1 is in use", "--port", $"{port}");
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Data));
    }

    [Fact]
    public async Task A_metrics_port_in_use_is_named_and_nothing_is_created()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var host = new HostProcess();
        host.Settings["Dunlin__Metrics"] = "true";
        host.Settings["Dunlin__MetricsAddress"] = $"127.0.0.1:{port}";
        await RefusedAsync(
            host,
            $"Port {port} of 127.0.0.1 is in use by another program. Stop that program, or choose another port with Dunlin:MetricsAddress."
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Data));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task Metrics_on_the_port_of_the_host_are_refused(string address)
    {
        var port = ServerProcess.FreePort();
        await using var host = new HostProcess();
        host.Settings["Dunlin__Metrics"] = "true";
        host.Settings["Dunlin__MetricsAddress"] = $"{address}:{port}";
        await RefusedAsync(host, $"Dunlin:MetricsAddress '{address}:{port}' is the address of the server", "--port", $"{port}");
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Data));
    }

    [Fact]
    public async Task A_data_folder_in_use_is_named_and_unchanged()
    {
        await using var first = new HostProcess();
        await first.StartAsync("--no-demo");
        var files = Directory.EnumerateFileSystemEntries(first.Data).Order(StringComparer.Ordinal).ToList();
        await using var second = new HostProcess();
        await RefusedAsync(second, "dunlin.db' is in use by process", "--data", first.Data);
        Assert.Equal(files, Directory.EnumerateFileSystemEntries(first.Data).Order(StringComparer.Ordinal));
        using var client = new HttpClient { BaseAddress = first.Address };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz/ready")).StatusCode);
    }

    [Theory]
    [InlineData("Dunlin__Prot", "5081", "Dunlin:Prot is not a setting of this host")]
    [InlineData("Dunlin__Streams__MaxPerUsr", "5", "Dunlin:Streams:MaxPerUsr is not a setting")]
    [InlineData("Dunlin__Jobs__LeaseDuraton", "00:00:01", "Dunlin:Jobs:LeaseDuraton is not a setting")]
    [InlineData("Dunlin__Streams__MaxPerUser", "many", "Dunlin:Streams:MaxPerUser")]
    [InlineData("Dunlin__Streams__MaxPerUser", "0", "MaxPerUser")]
    [InlineData("Dunlin__TrustedProxies", "127.0.0.1/8x", "'127.0.0.1/8x' is not an address or network")]
    [InlineData("Dunlin__TrustedProxies", "10.0.0.1, 127", "'127' is not an address or network")]
    [InlineData("Dunlin__TrustedProxies", "10.0.0.0/33", "'10.0.0.0/33' is not an address or network")]
    [InlineData("Dunlin__Metrics", "perhaps", "Dunlin:Metrics must be true or false, not 'perhaps'")]
    [InlineData("Dunlin__Metrik", "true", "Dunlin:Metrik is not a setting of this host")]
    [InlineData(
        "Dunlin__MetricsAddress",
        "everywhere",
        "Dunlin:MetricsAddress must be an IP address and a port such as 127.0.0.1:9464, not 'everywhere'"
    )]
    [InlineData("Dunlin__MetricsAddress", "127.0.0.1", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__MetricsAddress", "9464", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__MetricsAddress", "127.1:9464", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__MetricsAddress", "127.0.0.1:0", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__MetricsAddress", "::1:9464", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__MetricsAddress", "127.0.0.1:99999", "Dunlin:MetricsAddress must be an IP address and a port")]
    [InlineData("Dunlin__Redis", "localhost:6379", "--redis needs --store")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string name, string value, string reason)
    {
        await using var host = new HostProcess();
        host.Settings[name] = value;
        await RefusedAsync(host, reason);
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Data));
    }

    [Fact]
    public async Task Setting_names_ignore_case()
    {
        await using var host = new HostProcess();
        host.Settings["DUNLIN__DEMO"] = "false";
        await host.StartAsync();
        Assert.DoesNotContain("Demo accounts", host.Output, StringComparison.Ordinal);
    }

    private static async Task RefusedAsync(HostProcess host, string reason, params string[] options)
    {
        var (code, output, error) = await host.RunAsync(options);
        Assert.True(code == 1, $"{code}: {output}{error}");
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.StartsWith("dunlin: ", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", output + error, StringComparison.Ordinal);
    }
}
