using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.TestKit.Servers;

/// <summary>Runs a Dunlin server in a separate process, which a test can kill, pause and restart on the same port and data. Not
/// thread-safe.</summary>
/// <remarks>The program must accept <c>--port</c> and <c>--data</c>, and write <c>Dunlin is at URL</c> when it listens.</remarks>
public partial class DunlinProcess : IAsyncDisposable
{
    private readonly string _program;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-process-");
    private ServerProcess? _process;

    /// <summary>Creates a server that is not started yet.</summary>
    /// <param name="program">The full path of the program: a <c>.dll</c>, which <c>dotnet</c> runs, or a native program.</param>
    /// <param name="port">The port. Default: 0, which selects a free one and keeps it across restarts.</param>
    public DunlinProcess(string program, int port = 0)
    {
        (_program, Port) = (program, port);
        Data = Path.Combine(_folder.FullName, "data");
    }

    /// <summary>Gets the working directory of the program, which is deleted on disposal.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Gets the folder of its data. The program creates it unless an option names another folder.</summary>
    public string Data { get; }

    /// <summary>Gets additional environment variables. Variables of the test run that start with <c>Dunlin__</c> are not
    /// inherited.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the open-file limit of the process. Default: null, which inherits that of the test run.</summary>
    public int? OpenFiles { get; init; }

    /// <summary>Gets the file to which the shell redirects the output. Default: null, which keeps it for <see cref="Output"/>.</summary>
    public string? OutputFile { get; init; }

    /// <summary>Gets the base address.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Gets the port. It is 0 before the first start if no port was given.</summary>
    public int Port { get; private set; }

    /// <summary>Gets the process id.</summary>
    public int Id => Started.Id;

    /// <summary>Gets whether the process has ended.</summary>
    public bool HasEnded => Started.HasExited;

    /// <summary>Gets the output since the last start.</summary>
    public string Output => _process?.Output ?? "";

    private ServerProcess Started => _process ?? throw new InvalidOperationException("The program was not started.");

    /// <summary>Starts the program, and waits until it listens.</summary>
    /// <param name="options">Further command-line options.</param>
    /// <exception cref="InvalidOperationException">The program ended or did not listen within 90 seconds. The message contains its
    /// output.</exception>
    public async Task StartAsync(params string[] options)
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = ServerProcess.Start(Program([.. Place, .. options]));
        Address = new Uri((await WhenListeningAsync(_process)).Groups["address"].Value);
        Port = Address.Port;
    }

    /// <summary>Runs the program on the same data until it ends: for commands, and for starts that fail.</summary>
    /// <param name="options">Further command-line options.</param>
    public Task<ProgramResult> RunAsync(params string[] options) => ServerProcess.RunAsync(Program([.. Place, .. options]));

    /// <summary>Runs the program until it ends, with these arguments only.</summary>
    /// <param name="arguments">The arguments.</param>
    public Task<ProgramResult> RunCommandAsync(params string[] arguments) => ServerProcess.RunAsync(Program(arguments));

    /// <summary>Runs another program until it ends, in the folder and with the settings of this one.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">The arguments.</param>
    public Task<ProgramResult> RunOtherAsync(string program, params string[] arguments) =>
        ServerProcess.RunAsync(Other(program, arguments));

    /// <summary>Starts another program in the folder and with the settings of this one.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">The arguments.</param>
    public ServerProcess StartOther(string program, params string[] arguments) => ServerProcess.Start(Other(program, arguments));

    /// <summary>Waits until the output since the last start contains a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidOperationException">The process ended or 90 seconds passed before.</exception>
    public Task WhenSeenAsync(string text) => Started.WhenSeenAsync(text);

    /// <summary>Waits until the process has ended.</summary>
    /// <returns>The exit code; 128 plus the number of the signal if a signal ended it.</returns>
    public Task<int> WhenExitedAsync() => Started.WhenExitedAsync();

    /// <summary>Asks the process to stop (SIGTERM), and waits until it has ended.</summary>
    public async Task StopAsync()
    {
        await Started.SignalAsync("TERM");
        await WhenExitedAsync();
    }

    /// <summary>Kills the process (SIGKILL), without any clean-up.</summary>
    public Task KillAsync() => _process?.KillAsync() ?? Task.CompletedTask;

    /// <summary>Pauses the process, including its connections and locks (SIGSTOP).</summary>
    public Task PauseAsync() => Started.SignalAsync("STOP");

    /// <summary>Resumes a paused process (SIGCONT).</summary>
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
        string[] command = _program.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
            ? ["dotnet", _program, .. arguments]
            : [_program, .. arguments];
        if (OpenFiles is null && OutputFile is null)
            return Other(command[0], command[1..]);
        var limit = OpenFiles is { } files ? string.Create(CultureInfo.InvariantCulture, $"ulimit -n {files} && ") : "";
        var output = OutputFile is null ? "" : $" > '{OutputFile}' 2>&1";
        return Other("bash", ["-c", $"{limit}exec \"$@\"{output}", "bash", .. command]);
    }

    private async Task<Match> WhenListeningAsync(ServerProcess process)
    {
        while (OutputFile is { } file && !process.HasExited)
        {
            if (File.Exists(file) && Listening().Match(await File.ReadAllTextAsync(file)) is { Success: true } match)
                return match;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
        return await process.WhenSeenAsync(Listening());
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
