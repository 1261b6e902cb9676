using System.Diagnostics;
using System.Globalization;
using Dunlin.TestKit.Servers;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>One node: the host as users run it, in a process of its own, which can be killed, paused and started again.</summary>
internal sealed class ClusterNode(string name, string store, string? redis, string accounts) : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory($"dunlin-{name}-");
    private readonly Queue<string> _output = new();
    private Process? _process;

    public string Name => name;

    /// <summary>The port; the same after a restart.</summary>
    public int Port { get; } = ServerProcess.FreePort();

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
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Dunlin.Host.dll"),
            "--port",
            Port.ToString(CultureInfo.InvariantCulture),
            "--data",
            _data.FullName,
            "--store",
            store,
            .. redis is null ? Array.Empty<string>() : ["--redis", redis],
        ];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        start.Environment["Dunlin__DemoAccounts"] = accounts;
        // Three runtimes on a small machine: what they compile should not take the time of what is tested.
        start.Environment["DOTNET_TieredPGO"] = "0";
        var process = _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"Node {name} ended: {Output}"));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(90));
    }

    /// <summary>SIGKILL: the process gets no chance to do anything.</summary>
    public async Task KillAsync()
    {
        if (_process is not { HasExited: false } process)
            return;
        process.EnableRaisingEvents = false;
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: it stands still, with all that it holds.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ContinueAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
        _data.Delete(recursive: true);
    }

    private Task SignalAsync(string signal) =>
        ServerProcess.RunAsync("/bin/kill", ["-" + signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);

    private void Take(string? line, TaskCompletionSource ready)
    {
        if (line is null)
            return;
        lock (_output)
        {
            _output.Enqueue(line);
            if (_output.Count > 200)
                _output.Dequeue();
        }
        if (line.StartsWith("Dunlin is at ", StringComparison.Ordinal))
            ready.TrySetResult();
    }
}
