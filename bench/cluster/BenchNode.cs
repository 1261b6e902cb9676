using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Dunlin.Bench.Cluster;

/// <summary>Starts a node, <c>bench/server</c>, in its own process.</summary>
internal static class BenchNode
{
    public static Process Start(int port, params string[] store) =>
        Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [Path.Combine(AppContext.BaseDirectory, "Dunlin.Bench.Server.dll"), port.ToString(CultureInfo.InvariantCulture), .. store]
            )
        )!;

    public static HttpClient Client(int port) =>
        new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")) };

    /// <summary>Completes when the node accepts requests.</summary>
    public static async Task WaitAsync(HttpClient http)
    {
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync("/healthz/ready");
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception error) when (error is HttpRequestException or SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }
}
