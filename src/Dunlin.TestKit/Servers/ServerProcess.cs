using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Dunlin.TestKit.Servers;

/// <summary>Represents the result of a program. Immutable.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">The standard output.</param>
/// <param name="Error">The standard error.</param>
public sealed record ProgramResult(int Code, string Output, string Error);

/// <summary>Runs a program for a test, and keeps the last 5,000 lines of its output. Thread-safe.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const int KeptLines = 5_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan EndPatience = TimeSpan.FromMinutes(10);

    // A program outside the tree may hold the output open.
    private static readonly TimeSpan OutputPatience = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly Lock _gate = new(); // guards _lines and _waiting
    private readonly Queue<string> _lines = new();
    private readonly List<(Regex Pattern, TaskCompletionSource<Match> Seen)> _waiting = [];

    private ServerProcess(Process process) => _process = process;

    /// <summary>Gets the process id.</summary>
    public int Id => _process.Id;

    /// <summary>Gets whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Gets the output: standard output and standard error in the order of arrival.</summary>
    public string Output
    {
        get
        {
            lock (_gate)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>Starts a program without standard input.</summary>
    /// <param name="program">The file name, which is searched for in PATH.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="folder">The working directory. Default: null, which means the folder for temporary files.</param>
    /// <returns>The running process.</returns>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? Path.GetTempPath(),
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Start(start);
    }

    /// <summary>Starts a program.</summary>
    /// <param name="start">The program and its environment. Standard output and error are redirected.</param>
    /// <returns>The running process.</returns>
    public static ServerProcess Start(ProcessStartInfo start)
    {
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        var server = new ServerProcess(new Process { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Keep(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Keep(line.Data);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Runs a program until it ends.</summary>
    /// <param name="start">The program and its environment. Standard output and error are redirected.</param>
    /// <returns>The result.</returns>
    /// <exception cref="TimeoutException">The program ran for more than 120 seconds and was killed.</exception>
    public static async Task<ProgramResult> RunAsync(ProcessStartInfo start)
    {
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return new ProgramResult(process.ExitCode, await output, await error);
    }

    /// <summary>Runs a program until it ends.</summary>
    /// <param name="program">The file name, which is searched for in PATH.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="folder">The working directory. Default: null, which means the folder for temporary files.</param>
    /// <exception cref="InvalidOperationException">The program failed, or ran for more than 10 minutes and was killed. The message contains
    /// its output.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        await using var server = Start(program, arguments, folder);
        if (await server.WhenExitedAsync() is not 0 and var code)
            throw new InvalidOperationException($"{program} ended with {code}:\n{server.Output}");
    }

    /// <summary>Returns a TCP port of 127.0.0.1 that is currently free.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Returns the path of a program, which is searched for in PATH and in <paramref name="folders"/>.</summary>
    /// <param name="program">The file name.</param>
    /// <param name="package">The package that contains the program, for the error message.</param>
    /// <param name="folders">Further folders.</param>
    /// <exception cref="InvalidOperationException">The program is not installed. The message names the package.</exception>
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

    /// <summary>Waits until a line of the output, or the output as a whole, matches a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <returns>The match.</returns>
    /// <exception cref="InvalidOperationException">The program ended or 90 seconds passed before. The message contains its
    /// output.</exception>
    public async Task<Match> WhenSeenAsync(Regex pattern)
    {
        var seen = new TaskCompletionSource<Match>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (pattern.Match(string.Join('\n', _lines)) is { Success: true } match)
                return match;
            _waiting.Add((pattern, seen));
        }
        try
        {
            // WaitForExitAsync completes after the output was read to the end.
            if (await Task.WhenAny(seen.Task, _process.WaitForExitAsync()).WaitAsync(Patience) == seen.Task || seen.Task.IsCompleted)
                return await seen.Task;
            throw new InvalidOperationException($"The program ended with {_process.ExitCode} before '{pattern}' came:\n{Output}");
        }
        catch (TimeoutException error)
        {
            throw new InvalidOperationException($"'{pattern}' did not come:\n{Output}", error);
        }
    }

    /// <summary>Waits until the output contains a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidOperationException">The program ended or 90 seconds passed before.</exception>
    public Task WhenSeenAsync(string text) => WhenSeenAsync(new Regex(Regex.Escape(text)));

    /// <summary>Sends a signal to the process.</summary>
    /// <param name="signal">The name without SIG, for example <c>STOP</c>.</param>
    public async Task SignalAsync(string signal) =>
        await RunAsync("/bin/kill", ["-" + signal, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    /// <summary>Waits until the process has ended and its output was read.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="InvalidOperationException">10 minutes passed before. The message contains the output.</exception>
    public async Task<int> WhenExitedAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(EndPatience);
        }
        catch (TimeoutException error)
        {
            var part = _process.HasExited ? "The output of the program" : "The program";
            throw new InvalidOperationException($"{part} did not end:\n{Output}", error);
        }
        return _process.ExitCode;
    }

    /// <summary>Kills the process and its child processes, and waits until they have ended.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(OutputPatience);
        }
        catch (TimeoutException) when (_process.HasExited)
        {
            // Only the output is missing.
        }
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
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
            if (_waiting.Count == 0)
                return;
            var all = string.Join('\n', _lines);
            foreach (var (pattern, seen) in _waiting)
            {
                if (pattern.Match(all) is { Success: true } match)
                    seen.TrySetResult(match);
            }
            _waiting.RemoveAll(static waiting => waiting.Seen.Task.IsCompleted);
        }
    }
}
