using System.Globalization;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>Runs a private PostgreSQL server in a temporary folder, on a free port of 127.0.0.1. Not thread-safe.</summary>
/// <remarks>PostgreSQL refuses to run as root, so for root it runs as the user <c>postgres</c>. <see cref="StopAsync"/> keeps the data;
/// disposal deletes it.</remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly string _postgres;
    private readonly string[] _as;
    private readonly string[] _settings;
    private ServerProcess? _process;

    private bool _isStandby;

    private PostgresServer(DirectoryInfo folder, string postgres, string[] @as, string[] settings)
    {
        _folder = folder;
        _postgres = postgres;
        _as = @as;
        _settings = settings;
        Port = ServerProcess.FreePort();
    }

    /// <summary>Gets the port, which stays the same across restarts.</summary>
    public int Port { get; }

    /// <summary>Gets a connection string of the superuser, without password.</summary>
    public string ConnectionString =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Include Error Detail=true"
        );

    /// <summary>Creates and starts a server.</summary>
    /// <param name="isDurable">Whether commits are synced to disk, for measurements. Default: false, because tests kill processes and not
    /// the machine.</param>
    /// <param name="settings">Further settings, each as <c>name=value</c>.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or did not start.</exception>
    public static async Task<PostgresServer> StartNewAsync(bool isDurable = false, params string[] settings)
    {
        var initdb = Find("initdb");
        string[] @as =
            Environment.UserName == "root"
                ? [ServerProcess.Find("setpriv", "util-linux"), "--reuid=postgres", "--regid=postgres", "--init-groups"]
                : [];
        var folder = await NewFolderAsync(@as);
        var durability = isDurable ? "fsync=on" : "fsync=off";
        var server = new PostgresServer(folder, Path.Combine(Path.GetDirectoryName(initdb)!, "postgres"), @as, [durability, .. settings]);
        string[] initialise = [initdb, "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
        string[] command = [.. @as, .. initialise];
        await ServerProcess.RunAsync(command[0], command[1..], folder.FullName);
        await server.StartAsync();
        return server;
    }

    /// <summary>Gets additional environment variables, which apply from the next start.</summary>
    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the data directory.</summary>
    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Creates and starts a standby of this server, and makes it synchronous: a commit returns when the standby has it
    /// too.</summary>
    /// <returns>The standby, which accepts queries that only read.</returns>
    /// <exception cref="InvalidOperationException">The standby did not start.</exception>
    public async Task<PostgresServer> StartStandbyAsync()
    {
        var folder = await NewFolderAsync(_as);
        var standby = new PostgresServer(folder, _postgres, _as, [.. _settings, "hot_standby=on"]) { _isStandby = true };
        string[] source = ["-h", "127.0.0.1", "-p", string.Create(CultureInfo.InvariantCulture, $"{Port}"), "-U", "postgres"];
        await standby.RunAsync("pg_basebackup", ["-D", standby.Data, "-R", "-X", "stream", "-c", "fast", "--no-sync", .. source]);
        await standby.StartAsync();
        await RunAsync("psql", [.. source, "-q", "-c", "ALTER SYSTEM SET synchronous_standby_names = '*'"]);
        await RunAsync("psql", [.. source, "-q", "-c", "SELECT pg_reload_conf()"]);
        return standby;
    }

    /// <summary>Promotes a standby, and waits until it accepts writes. It no longer waits for a standby of its own.</summary>
    public async Task PromoteAsync()
    {
        _isStandby = false;
        await RunAsync("pg_ctl", ["promote", "-w", "-D", Data]);
    }

    private Task RunAsync(string program, string[] arguments)
    {
        string[] command = [.. _as, Find(program), .. arguments];
        return ServerProcess.RunAsync(command[0], command[1..], _folder.FullName);
    }

    // Debian keeps the programs in a folder of each version.
    private static string Find(string program)
    {
        var versions = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        return ServerProcess.Find(
            program,
            "postgresql",
            versions.OrderDescending(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
        );
    }

    private static async Task<DirectoryInfo> NewFolderAsync(string[] @as)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-pg-");
        if (@as.Length > 0)
            await ServerProcess.RunAsync("/bin/chown", ["postgres", folder.FullName]);
        return folder;
    }

    /// <summary>Starts the server, for the first time or again, and waits until it accepts connections.</summary>
    /// <exception cref="InvalidOperationException">The server did not start within 30 seconds. The message contains its output.</exception>
    public async Task StartAsync()
    {
        string[] settings =
        [
            $"port={Port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "log_min_messages=fatal",
            // pg_basebackup copies the setting of the primary; a promoted standby would wait for a standby that does not exist.
            .. _isStandby ? (string[])["synchronous_standby_names="] : [],
            .. _settings,
        ];
        string[] variables = ["/usr/bin/env", .. Variables.Select(static variable => $"{variable.Key}={variable.Value}")];
        string[] command = [.. _as, .. variables, _postgres, "-D", Data, .. settings.SelectMany(setting => new[] { "-c", setting })];
        _process = ServerProcess.Start(command[0], command[1..], _folder.FullName);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!await AnswersAsync(Port, limit.Token))
        {
            if (_process.HasExited || limit.IsCancellationRequested)
                throw new InvalidOperationException($"PostgreSQL did not start:\n{_process.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Stops the server with a signal.</summary>
    /// <param name="signal"><c>INT</c> closes connections and stops cleanly. <c>QUIT</c> simulates a crash. <c>KILL</c> also kills the
    /// processes of the connections, as if the machine failed. Default: <c>INT</c>.</param>
    public async Task StopAsync(string signal = "INT")
    {
        if (_process is not { } process)
            return;
        _process = null;
        if (signal != "KILL" && !process.HasExited)
        {
            await process.SignalAsync(signal);
            await process.WhenExitedAsync();
        }
        await process.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync("QUIT");
        _folder.Delete(recursive: true);
    }

    // Sends a start-up packet of protocol version 3.0. An authentication response (R) means that the server accepts connections.
    private static async Task<bool> AnswersAsync(int port, CancellationToken limit)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, limit);
            var socket = client.GetStream();
            var text = "user\0postgres\0database\0postgres\0\0"u8.ToArray();
            byte[] packet = [0, 0, 0, (byte)(text.Length + 8), 0, 3, 0, 0, .. text];
            await socket.WriteAsync(packet, limit);
            var kind = new byte[1];
            return await socket.ReadAsync(kind, limit) == 1 && kind[0] == (byte)'R';
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
