using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>A server that tests start for themselves and stop again: its process, its port and what it said last.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const int KeptLines = 60;

    private readonly Process _process;
    private readonly Queue<string> _lines = new();

    private ServerProcess(Process process) => _process = process;

    /// <summary>The process.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it wrote last, for the message of a failure.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>Starts a program.</summary>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C.UTF-8";
        var server = new ServerProcess(new Process { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Keep(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Keep(line.Data);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        await using var server = Start(program, arguments, folder);
        await server._process.WaitForExitAsync();
        if (server._process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {server._process.ExitCode}:\n{server.Output}");
    }

    /// <summary>A TCP port of 127.0.0.1 that nobody uses now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Where a program lies: in the path, or in one of the folders given.</summary>
    /// <exception cref="InvalidOperationException">It is not installed; the message says which package has it.</exception>
    public static string Find(string program, string package, params IEnumerable<string> folders)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return path.Concat(folders)
                .Concat(["/usr/sbin", "/sbin"])
                .Select(folder => Path.Combine(folder, program))
                .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"'{program}' is not installed. ./test.sh installs it as root; otherwise install the package '{package}'."
            );
    }

    /// <summary>Sends a signal to the process.</summary>
    public async Task SignalAsync(string signal) =>
        await RunAsync("/bin/kill", ["-" + signal, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    /// <summary>Completes when the process has ended.</summary>
    public Task WhenExitedAsync() => _process.WaitForExitAsync();

    /// <summary>Ends the process and those that it started, at once.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
    }
}
