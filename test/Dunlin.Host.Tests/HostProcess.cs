using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Dunlin.Host.Tests;

/// <summary>The host as a process of its own, which can be killed and started again on the same data.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly List<string> _output = [];
    private Process? _process;

    /// <summary>The data folder, unless another one is named by an option.</summary>
    public string Data { get; } = Directory.CreateTempSubdirectory("dunlin-host-").FullName;

    /// <summary>Settings, as variables of its environment.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    public Uri Address { get; private set; } = null!;

    /// <summary>How many files the process may open; null for what this one may.</summary>
    public int? OpenFiles { get; init; }

    public bool HasEnded => _process!.HasExited;

    public int Id => _process!.Id;

    public int Port => Address?.Port ?? 0;

    public string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    /// <summary>Runs a host that is not expected to stay.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(params string[] options)
    {
        using var process = Process.Start(Info(options))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Starts the host and waits until it has said where it is.</summary>
    public async Task StartAsync(params string[] options)
    {
        var ready = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = Info(options), EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("The host ended: " + Output));
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

    /// <param name="user">A demo account.</param>
    /// <param name="through">Where to go instead of to the process itself, such as a proxy.</param>
    /// <param name="from">The address to come from.</param>
    public async Task<HttpClient> SignInAsync(string user, Uri? through = null, string from = "127.0.0.1")
    {
        var client = new HttpClient(
            new SocketsHttpHandler
            {
                UseCookies = false,
                ResponseDrainTimeout = TimeSpan.Zero,
                ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, from, ct),
            }
        )
        {
            BaseAddress = through ?? Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        using var login = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = DemoData.Password });
        var answer = await login.Content.ReadFromJsonAsync<JsonElement>();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.GetProperty("accessToken").GetString());
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        Directory.Delete(Data, recursive: true);
    }

    private ProcessStartInfo Info(string[] options)
    {
        string[] place = ["--port", $"{Port}", "--data", Data];
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Dunlin.Host.dll"), .. place, .. options];
        var start = new ProcessStartInfo(
            "bash",
            ["-c", OpenFiles is { } files ? $"ulimit -n {files} && exec \"$@\"" : "exec \"$@\"", "bash", .. command]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        return start;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, string from, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(to, cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(5), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
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
