using System.Diagnostics;
using System.Net.Sockets;

namespace Dunlin.Host.Tests;

/// <summary>A process without free file descriptors.</summary>
public sealed class OutOfFilesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_host_without_file_descriptors_logs_once_and_recovers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs prlimit.");
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        Assert.Equal("ready", await client.GetStringAsync("/healthz/ready"));
        var peers = new List<TcpClient>();
        await LimitAsync(host, Directory.GetFiles($"/proc/{host.Id}/fd").Length + 4);
        for (var i = 0; i < 16; i++)
        {
            var peer = new TcpClient();
            peers.Add(peer);
            await peer.ConnectAsync(host.Address.Host, host.Address.Port);
        }
        using var patience = new CancellationTokenSource(Patience);
        while (!host.Output.Contains("Accepting connections failed", StringComparison.Ordinal))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        await LimitAsync(host, 1_024);
        using var another = new HttpClient { BaseAddress = host.Address };
        Assert.Equal("ready", await another.GetStringAsync("/healthz/ready").WaitAsync(Patience));
        Assert.Equal(1, host.Output.Split("Accepting connections failed").Length - 1);
        peers.ForEach(static peer => peer.Dispose());
    }

    private static async Task LimitAsync(HostProcess host, int files)
    {
        using var prlimit = Process.Start("prlimit", ["--pid", $"{host.Id}", $"--nofile={files}:"]);
        await prlimit.WaitForExitAsync();
        Assert.Equal(0, prlimit.ExitCode);
    }
}
