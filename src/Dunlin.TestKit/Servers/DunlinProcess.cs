using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.TestKit.Servers;

/// <summary>
/// A server of Dunlin as a process of its own, which can be killed, paused and started again on the same port and data. The program
/// takes <c>--port</c> and <c>--data</c> and writes <c>Dunlin is at URL</c> when it listens. For one test at a time.
/// </summary>
public partial class DunlinProcess : IAsyncDisposable
{
    private readonly string _program;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-process-");
    private ServerProcess? _process;

    /// <param name="program">The path of the program's <c>.dll</c>.</param>
    /// <param name="port">The port; 0 for a free one, which it keeps over restarts.</param>
    public DunlinProcess(string program, int port = 0)
    {
        (_program, Port) = (program, port);
        Data = Path.Combine(_folder.FullName, "data");
    }

    /// <summary>The folder that the program starts in, deleted with it.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The folder of its data, which the program makes, unless an option names another.</summary>
    public string Data { get; }

    /// <summary>Variables added to its environment. Those of the test run that begin with <c>Dunlin__</c> are not passed on.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>How many files the process may open; null for what the test run may.</summary>
    public int? OpenFiles { get; init; }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Its port; 0 before the first start where it was not given.</summary>
    public int Port { get; private set; }

    /// <summary>The id of the process.</summary>
    public int Id => Started.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasEnded => Started.HasExited;

    /// <summary>What the process wrote since its last start.</summary>
    public string Output => _process?.Output ?? "";

    private ServerProcess Started => _process ?? throw new InvalidOperationException("The program was not started.");

    /// <summary>Starts the program and waits until it listens.</summary>
    /// <param name="options">Further options of its command line.</param>
    /// <exception cref="InvalidOperationException">It ended, or did not listen within 90 seconds; the message holds what it
    /// wrote.</exception>
    public async Task StartAsync(params string[] options)
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = ServerProcess.Start(Program([.. Place, .. options]));
        Address = new Uri((await _process.WhenSeenAsync(Listening())).Groups["address"].Value);
        Port = Address.Port;
    }

    /// <summary>Runs the program to its end, on the same data. For commands, and for starts that fail.</summary>
    public Task<ProgramResult> RunAsync(params string[] options) => ServerProcess.RunAsync(Program([.. Place, .. options]));

    /// <summary>Runs the program to its end with these arguments alone.</summary>
    public Task<ProgramResult> RunCommandAsync(params string[] arguments) => ServerProcess.RunAsync(Program(arguments));

    /// <summary>Runs another program to its end, in the folder and with the settings of this one.</summary>
    public Task<ProgramResult> RunOtherAsync(string program, params string[] arguments) =>
        ServerProcess.RunAsync(Other(program, arguments));

    /// <summary>Starts another program in the folder and with the settings of this one.</summary>
    public ServerProcess StartOther(string program, params string[] arguments) => ServerProcess.Start(Other(program, arguments));

    /// <summary>Waits until the process has written a text since its last start.</summary>
    /// <exception cref="InvalidOperationException">It ended, or 90 seconds passed, without it.</exception>
    public Task WhenSeenAsync(string text) => Started.WhenSeenAsync(text);

    /// <summary>Kills the process (SIGKILL): it gets no chance to do anything.</summary>
    public Task KillAsync() => _process?.KillAsync() ?? Task.CompletedTask;

    /// <summary>Stops the process with all that it holds (SIGSTOP).</summary>
    public Task PauseAsync() => Started.SignalAsync("STOP");

    /// <summary>Lets a paused process go on (SIGCONT).</summary>
    public Task ContinueAsync() => Started.SignalAsync("CONT");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is not null)
            await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private string[] Place => ["--port", Port.ToString(CultureInfo.InvariantCulture), "--data", Data];

    private ProcessStartInfo Program(string[] arguments)
    {
        string[] command = ["dotnet", _program, .. arguments];
        return OpenFiles is { } files
            ? Other("bash", ["-c", $"ulimit -n {files.ToString(CultureInfo.InvariantCulture)} && exec \"$@\"", "bash", .. command])
            : Other(command[0], command[1..]);
    }

    private ProcessStartInfo Other(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder };
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        foreach (
            var name in start
                .Environment.Keys.Where(static name => name.StartsWith("Dunlin__", StringComparison.OrdinalIgnoreCase))
                .ToList()
        )
            start.Environment.Remove(name);
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        return start;
    }

    [GeneratedRegex(@"^Dunlin is at (?<address>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();
}
