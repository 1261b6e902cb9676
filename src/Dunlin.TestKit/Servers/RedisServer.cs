using System.Globalization;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>Runs a private Redis server without persistence on a free port of 127.0.0.1. Not thread-safe.</summary>
/// <remarks>It uses a temporary folder anyway: a replica stores the received data there, and any server loads the data that it finds at its
/// start.</remarks>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private DirectoryInfo? _folder;
    private ServerProcess? _process;

    private RedisServer() => Port = ServerProcess.FreePort();

    /// <summary>Gets the port, which stays the same across restarts.</summary>
    public int Port { get; }

    /// <summary>Gets the endpoint, <c>host:port</c>.</summary>
    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Creates and starts a server.</summary>
    /// <exception cref="InvalidOperationException">Redis is not installed or did not start.</exception>
    public static async Task<RedisServer> StartNewAsync()
    {
        var server = new RedisServer();
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the server, for the first time or again without data, and waits until it responds.</summary>
    /// <exception cref="InvalidOperationException">The server did not start within 15 seconds. The message contains its output.</exception>
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
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        while (await TrySendAsync("PING") != "+PONG")
        {
            if (_process.HasExited || limit.IsCancellationRequested)
                throw new InvalidOperationException($"Redis did not start:\n{_process.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Kills the server and deletes its folder.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
            await process.DisposeAsync();
        _process = null;
        _folder?.Delete(recursive: true);
        _folder = null;
    }

    /// <summary>Sends a command of plain words, and returns the first line of the response, or null if the server does not respond within
    /// 15 seconds.</summary>
    /// <param name="command">The command.</param>
    public async Task<string?> TrySendAsync(string command)
    {
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port, limit.Token);
            await using var socket = client.GetStream();
            await socket.WriteAsync(System.Text.Encoding.ASCII.GetBytes(command + "\r\n"), limit.Token);
            using var reader = new StreamReader(socket);
            return await reader.ReadLineAsync(limit.Token);
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
