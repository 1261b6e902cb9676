using System.Diagnostics;
using System.Text.RegularExpressions;
using Dunlin.TestKit.Servers;

namespace Dunlin.Guides.Tests.NatsSink;

/// <summary>The program of the example as a process, which a test kills and starts again on the same store. Not thread-safe.</summary>
public sealed partial class SinkNode(string folder, string nats, string? store = null) : IAsyncDisposable
{
    private ServerProcess? _process;
    private HttpClient? _http;

    public async Task StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "NatsSink.dll");
        string[] settings = store is null ? ["--Data", Path.Combine(folder, "sink.db")] : ["--Store", store];
        _process = ServerProcess.Start(
            new ProcessStartInfo("dotnet", [program, "--urls", "http://127.0.0.1:0", "--Nats", nats, .. settings])
            {
                WorkingDirectory = folder,
            }
        );
        _http = new HttpClient { BaseAddress = new Uri((await _process.WhenSeenAsync(Listening())).Groups[1].Value) };
    }

    public async Task KillAsync()
    {
        _http?.Dispose();
        if (_process is { } process)
            await process.DisposeAsync();
        (_http, _process) = (null, null);
    }

    public async Task AddAsync(int order, CancellationToken cancellationToken)
    {
        using var response = await _http!.PutAsync(new Uri($"/api/orders/{order}", UriKind.Relative), null, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:[0-9]+)")]
    private static partial Regex Listening();
}
