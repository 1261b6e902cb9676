using System.Globalization;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>A Redis server of the tests' own, on a free port of 127.0.0.1, that keeps nothing. In a temporary folder all the same: a
/// replica writes there what it is sent, and any server reads at its start what it finds.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private DirectoryInfo? _folder;
    private ServerProcess? _process;

    private RedisServer() => Port = ServerProcess.FreePort();

    /// <summary>The port; the same after a restart.</summary>
    public int Port { get; }

    /// <summary><c>host:port</c>.</summary>
    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Makes a server and starts it.</summary>
    public static async Task<RedisServer> StartNewAsync()
    {
        var server = new RedisServer();
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it (again, empty) and waits until it answers.</summary>
    public async Task StartAsync()
    {
        var program = ServerProcess.Find("redis-server", "redis-server");
        _folder = Directory.CreateTempSubdirectory("dunlin-redis-");
        string[] settings =
        [
            "--port",
            Port.ToString(CultureInfo.InvariantCulture),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
        ];
        _process = ServerProcess.Start(program, [.. settings, "--dir", _folder.FullName], _folder.FullName);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15), TimeProvider.System);
        while (await TrySendAsync("PING") != "+PONG")
        {
            if (_process.HasExited || limit.IsCancellationRequested)
                throw new InvalidOperationException($"Redis did not start:\n{_process.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Stops it without further ado.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
            await process.DisposeAsync();
        _process = null;
        _folder?.Delete(recursive: true);
        _folder = null;
    }

    /// <summary>Sends one command of plain words and reads the first line of its answer.</summary>
    public async Task<string?> TrySendAsync(string command)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            await using var socket = client.GetStream();
            await socket.WriteAsync(System.Text.Encoding.ASCII.GetBytes(command + "\r\n"));
            using var reader = new StreamReader(socket);
            return await reader.ReadLineAsync();
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
