using System.Diagnostics;

namespace Dunlin.Server.Tests.Support;

/// <summary>The server as a process of its own, which can be killed and started again on the same data; and its commands.</summary>
internal sealed class ServerProgram : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-server-");
    private readonly List<string> _output = [];
    private Process? _process;

    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    public Uri Address { get; private set; } = null!;

    public string Folder => _folder.FullName;

    public string Data => Path.Combine(Folder, "data");

    public static string Program => Path.Combine(AppContext.BaseDirectory, "dunlin.dll");

    public string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    public async Task StartAsync()
    {
        var ready = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process
        {
            StartInfo = Info("dotnet", Program, "--data", Data, "--port", $"{Address?.Port ?? 0}"),
            EnableRaisingEvents = true,
        };
        _process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("The server ended: " + Output));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Address = await ready.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>SIGKILL: the process gets no chance to do anything.</summary>
    public async Task KillAsync()
    {
        _process!.EnableRaisingEvents = false;
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Runs a command of the program to its end.</summary>
    public Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunAsync(Info("dotnet", [Program, .. arguments]));

    /// <summary>Runs another program in the folder of this one.</summary>
    public Task<(int Code, string Output, string Error)> RunOtherAsync(string program, params string[] arguments) =>
        RunAsync(Info(program, arguments));

    /// <summary>Another program in the folder of this one, not started.</summary>
    public ProcessStartInfo Prepare(string program, params string[] arguments) => Info(program, arguments);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(ProcessStartInfo info)
    {
        using var process = Process.Start(info)!;
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
        return (process.ExitCode, await output, await error);
    }

    private ProcessStartInfo Info(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("Dunlin__", StringComparison.OrdinalIgnoreCase)).ToList())
            info.Environment.Remove(name);
        foreach (var (name, value) in Settings)
            info.Environment[name] = value;
        return info;
    }

    private void Take(string? line, TaskCompletionSource<Uri> ready)
    {
        if (line is null)
            return;
        lock (_output)
            _output.Add(line);
        if (line.StartsWith("Dunlin is at ", StringComparison.Ordinal))
            ready.TrySetResult(new Uri(line["Dunlin is at ".Length..]));
    }
}
