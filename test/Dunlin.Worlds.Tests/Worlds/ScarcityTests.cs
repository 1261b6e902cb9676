using System.Globalization;
using System.Net.Sockets;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Worlds.Tests.Faults;
using Dunlin.Worlds.Tests.Histories;
using Dunlin.Worlds.Tests.Load;
using Dunlin.Worlds.Tests.Nodes;

namespace Dunlin.Worlds.Tests.Worlds;

/// <summary>Processes without file descriptors, and without memory.</summary>
public sealed class ScarcityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Open streams and connections continue, and new connections wait until there are descriptors again. The process may also
    /// end, because .NET needs descriptors to start a thread; a restart has everything.</summary>
    [Fact]
    public async Task G1_G2_G3_Node_without_file_descriptors_loses_no_event()
    {
        await using var node = new Node();
        await node.StartAsync();
        await using var load = await Workload.StartAsync("no file descriptors", () => node.Address);
        await load.MoreAsync();
        using var old = new Api(node.Address, "old");
        await PublishAsync(old, load.History, "old:1");
        await LimitAsync(node, Directory.GetFiles($"/proc/{node.Id}/fd").Length + 4);
        var peers = new List<TcpClient>();
        for (var i = 0; i < 16; i++)
        {
            var peer = new TcpClient();
            peers.Add(peer);
            await peer.ConnectAsync(node.Address.Host, node.Port);
        }
        try
        {
            await node.WhenSeenAsync("Accepting connections failed");
            // The clients of the load close their connections after two seconds without an answer, and get no other ones.
            await PublishAsync(old, load.History, "old:2");
            await PublishAsync(old, load.History, "old:3");
            await LimitAsync(node, 1_024);
        }
        catch (Exception) when (node.HasEnded)
        {
            Assert.Contains("Out of memory.", node.Output, StringComparison.Ordinal);
            await node.StartAsync();
        }
        peers.ForEach(static peer => peer.Dispose());
        await load.MoreAsync();
        await load.FinishAsync();
    }

    /// <summary>Uploads that never end fill the heap of the process. It may refuse requests or end; a restart has everything.</summary>
    [Fact]
    public async Task G1_G2_G3_Node_without_memory_loses_no_event()
    {
        await using var node = new Node();
        node.Settings["DOTNET_GCHeapHardLimit"] = "0x3000000"; // 48 MiB
        await node.StartAsync();
        await using var load = await Workload.StartAsync("no memory", () => node.Address);
        await load.MoreAsync();
        await UploadUntilAsync(node, Task.WhenAny(node.WhenSeenAsync("OutOfMemoryException"), node.WhenSeenAsync("Out of memory")));
        await node.RestartAsync();
        await load.MoreAsync();
        await load.FinishAsync(allowsServerErrors: true);
    }

    /// <summary>The kernel kills the process, which does not know the limit.</summary>
    [Fact]
    public async Task G1_G2_G3_Node_above_its_memory_limit_loses_no_event()
    {
        await using var node = new Node();
        await node.StartAsync();
        await using var load = await Workload.StartAsync("memory limit", () => node.Address);
        await load.MoreAsync();
        using (MemoryGroup.Limit(node.Id, 40))
        {
            await UploadUntilAsync(node, node.WhenExitedAsync());
            const int Killed = 128 + 9;
            Assert.Equal(Killed, await node.WhenExitedAsync());
        }
        await node.StartAsync();
        await load.MoreAsync();
        await load.FinishAsync();
    }

    private static async Task UploadUntilAsync(Node node, Task ends)
    {
        using var stop = new CancellationTokenSource();
        var uploads = Enumerable.Range(0, 120).Select(_ => Task.Run(() => UploadAsync(node.Address, stop.Token))).ToArray();
        await ends.WaitAsync(Patience);
        await stop.CancelAsync();
        await Task.WhenAll(uploads).WaitAsync(Patience);
    }

    /// <summary>Publishes over the connection of the last call.</summary>
    private static async Task PublishAsync(Api api, History history, string id)
    {
        history.Begin(id);
        var body = new
        {
            topic = "worlds/0",
            type = "e",
            data = new { id },
        };
        var answer = (await api.Client.SendJsonAsync("POST", "/dunlin/v1/events", body).WaitAsync(Patience)).Ok();
        history.Acknowledge(id, Place.Parse(answer.GetProperty("positions")[0].GetString()!));
    }

    /// <summary>Sends all of a request but its last byte.</summary>
    private static async Task UploadAsync(Uri address, CancellationToken stop)
    {
        const int Size = 1_000_000;
        using var api = new Api(address, "uploader");
        try
        {
            using var peer = new TcpClient();
            await peer.ConnectAsync(address.Host, address.Port, stop);
            var token = api.Client.DefaultRequestHeaders.Authorization;
            string[] head =
            [
                "POST /dunlin/v1/events HTTP/1.1",
                "Host: localhost",
                $"Authorization: {token}",
                "Content-Type: application/json",
                string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Size}"),
            ];
            var request = string.Join("\r\n", head) + "\r\n\r\n" + new string(' ', Size - 1);
            await peer.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(request), stop);
            await peer.GetStream().ReadExactlyAsync(new byte[1], stop);
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            // The server closed the connection, or the test ends.
        }
    }

    private static Task LimitAsync(Node node, int files) =>
        ServerProcess.RunAsync("prlimit", ["--pid", $"{node.Id}", string.Create(CultureInfo.InvariantCulture, $"--nofile={files}:")]);
}
