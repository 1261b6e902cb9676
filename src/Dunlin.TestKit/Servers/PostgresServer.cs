using System.Globalization;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>
/// A PostgreSQL server of the tests' own, in a temporary folder, on a free port of 127.0.0.1. PostgreSQL refuses to run as
/// root, so as root it is run as the user <c>postgres</c>. The data outlives <see cref="StopAsync"/> and goes with disposal.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly string _postgres;
    private readonly string[] _as;
    private readonly string[] _settings;
    private ServerProcess? _process;

    private PostgresServer(DirectoryInfo folder, string postgres, string[] @as, string[] settings)
    {
        _folder = folder;
        _postgres = postgres;
        _as = @as;
        _settings = settings;
        Port = ServerProcess.FreePort();
    }

    /// <summary>The port; the same after a restart.</summary>
    public int Port { get; }

    /// <summary>Connects as the superuser, without a password.</summary>
    public string ConnectionString =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Include Error Detail=true"
        );

    /// <summary>Makes a server and starts it.</summary>
    /// <param name="isDurable">Whether commits are synced to the disk: for measuring. Tests do without: they kill processes, not the
    /// machine.</param>
    /// <param name="settings">Further settings, each <c>name=value</c>.</param>
    public static async Task<PostgresServer> StartNewAsync(bool isDurable = false, params string[] settings)
    {
        var folders = Directory.Exists("/usr/lib/postgresql")
            ? Directory
                .GetDirectories("/usr/lib/postgresql")
                .OrderDescending(StringComparer.Ordinal)
                .Select(version => Path.Combine(version, "bin"))
            : [];
        var initdb = ServerProcess.Find("initdb", "postgresql", folders);
        var folder = Directory.CreateTempSubdirectory("dunlin-pg-");
        string[] @as = [];
        if (Environment.UserName == "root")
        {
            await ServerProcess.RunAsync("/bin/chown", ["postgres", folder.FullName]);
            @as = [ServerProcess.Find("setpriv", "util-linux"), "--reuid=postgres", "--regid=postgres", "--init-groups"];
        }
        var durability = isDurable ? "fsync=on" : "fsync=off";
        var server = new PostgresServer(folder, Path.Combine(Path.GetDirectoryName(initdb)!, "postgres"), @as, [durability, .. settings]);
        string[] initialise = [initdb, "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
        string[] command = [.. @as, .. initialise];
        await ServerProcess.RunAsync(command[0], command[1..], folder.FullName);
        await server.StartAsync();
        return server;
    }

    private string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Starts it (again) and waits until it answers.</summary>
    public async Task StartAsync()
    {
        string[] settings =
        [
            $"port={Port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "log_min_messages=fatal",
            .. _settings,
        ];
        string[] command = [.. _as, _postgres, "-D", Data, .. settings.SelectMany(setting => new[] { "-c", setting })];
        _process = ServerProcess.Start(command[0], command[1..], _folder.FullName);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!await AnswersAsync(Port))
        {
            if (_process.HasExited || limit.IsCancellationRequested)
                throw new InvalidOperationException($"PostgreSQL did not start:\n{_process.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Stops it: <c>INT</c> ends connections and closes cleanly, <c>QUIT</c> is a crash.</summary>
    public async Task StopAsync(string signal = "INT")
    {
        if (_process is not { } process)
            return;
        _process = null;
        if (!process.HasExited)
            await process.SignalAsync(signal);
        await process.WhenExitedAsync();
        await process.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync("QUIT");
        _folder.Delete(recursive: true);
    }

    // A start-up packet for the protocol version 3.0: an answer other than "starting up" means that it takes connections.
    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            var socket = client.GetStream();
            var text = "user\0postgres\0database\0postgres\0\0"u8.ToArray();
            byte[] packet = [0, 0, 0, (byte)(text.Length + 8), 0, 3, 0, 0, .. text];
            await socket.WriteAsync(packet);
            var kind = new byte[1];
            return await socket.ReadAsync(kind) == 1 && kind[0] == (byte)'R';
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false;
        }
    }
}
