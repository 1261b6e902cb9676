using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Host.Tests;

public sealed partial class TelemetryTests
{
    [Fact]
    public async Task Metrics_and_traces_reach_the_collector_of_the_standard_setting()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        var received = Channel.CreateUnbounded<string>();
        collector.MapPost(
            "/v1/metrics",
            async (HttpContext context) =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                await received.Writer.WriteAsync(Encoding.Latin1.GetString(body.ToArray()));
                return Results.Ok();
            }
        );
        var spans = Channel.CreateUnbounded<string>();
        collector.MapPost(
            "/v1/traces",
            async (HttpContext context) =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                await spans.Writer.WriteAsync(Encoding.Latin1.GetString(body.ToArray()));
                return Results.Ok();
            }
        );
        await collector.StartAsync();
        await using var host = new HostProcess();
        host.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Single();
        host.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        host.Settings["OTEL_METRIC_EXPORT_INTERVAL"] = "100";
        host.Settings["OTEL_BSP_SCHEDULE_DELAY"] = "100";
        await host.StartAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var text = "";
        // Protobuf contains names as plain text.
        while (!text.Contains("dunlin.journal.append.duration", StringComparison.Ordinal))
            text = await received.Reader.ReadAsync(patience.Token);
        Assert.Contains("dunlin.journal.queue.length", text, StringComparison.Ordinal);
        var traces = "";
        while (!traces.Contains("dunlin.commit", StringComparison.Ordinal))
            traces = await spans.Reader.ReadAsync(patience.Token);
    }

    [Fact]
    public async Task Prometheus_scrapes_metrics_on_their_own_listener_only()
    {
        await using var host = new HostProcess();
        var port = ServerProcess.FreePort();
        host.Settings["Dunlin__Metrics"] = "true";
        host.Settings["Dunlin__MetricsAddress"] = $"127.0.0.1:{port}";
        await host.StartAsync();
        using var client = new HttpClient();
        var metrics = new Uri($"http://127.0.0.1:{port}/metrics");
        (await client.GetAsync(new Uri(host.Address, "/healthz/ready"))).EnsureSuccessStatusCode();

        var families = await ParseAsync(await client.GetStringAsync(metrics));
        Assert.Equal("histogram", families["dunlin_journal_append_duration_seconds"]);
        Assert.Equal("gauge", families["dunlin_journal_queue_length"]);
        Assert.Equal("histogram", families["http_server_request_duration_seconds"]);
        Assert.Equal("counter", families["dotnet_gc_collections"]);

        // The public listener does not serve the path, for any Host header a request has.
        using var forged = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Address, "/metrics"));
        forged.Headers.Host = metrics.Authority;
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync(forged)).StatusCode);
        foreach (var path in (string[])["/", "/healthz/ready", "/dunlin/v1/stats", "/metrics/", "/Metrics"])
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri(metrics, path))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync(metrics, null)).StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("false")]
    public async Task Metrics_are_off_by_default(string? setting)
    {
        await using var host = new HostProcess();
        var port = ServerProcess.FreePort();
        host.Settings["Dunlin__MetricsAddress"] = $"127.0.0.1:{port}";
        if (setting is not null)
            host.Settings["Dunlin__Metrics"] = setting;
        await host.StartAsync();
        using var client = new HttpClient();
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri(host.Address, "/metrics"))).StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri($"http://127.0.0.1:{port}/metrics")));
    }

    /// <summary>Returns name and type of each metric family, parsed by Prometheus' own client library.</summary>
    private static async Task<Dictionary<string, string>> ParseAsync(string text)
    {
        const string Program = """
            import json, sys
            from prometheus_client.parser import text_string_to_metric_families
            print(json.dumps({family.name: family.type for family in text_string_to_metric_families(sys.stdin.read())}))
            """;
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Program])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var python = Process.Start(start)!;
        await python.StandardInput.WriteAsync(text);
        python.StandardInput.Close();
        var families = await python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync();
        Assert.Equal(0, python.ExitCode);
        return JsonSerializer.Deserialize<Dictionary<string, string>>(families)!;
    }

    [Fact]
    public void Every_metric_of_the_dashboard_exists()
    {
        var root = Repository.Root;
        var names = Directory
            .EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => MeterName().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value.Replace('.', '_'))
            .ToHashSet(StringComparer.Ordinal);
        using var dashboard = Dashboard();
        var shown = dashboard
            .RootElement.GetProperty("panels")
            .EnumerateArray()
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .SelectMany(target => Figure().Matches(target.GetProperty("expr").GetString()!))
            .Select(match => match.Groups[1].Value)
            .ToList();
        Assert.True(shown.Count > 10, $"{shown.Count} figures");
        Assert.Empty(shown.Except(names, StringComparer.Ordinal));
        // Operators look at these two after an alert: every metric of them is shown.
        var followed = names.Where(static name => name.StartsWith("dunlin_consumers_") || name.StartsWith("dunlin_webhooks_")).ToList();
        Assert.Equal(8, followed.Count);
        Assert.Empty(followed.Except(shown, StringComparer.Ordinal));
    }

    [Fact]
    public void Panels_of_the_dashboard_have_own_ids_titles_and_places()
    {
        using var dashboard = Dashboard();
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        foreach (var member in (string[])["id", "title", "gridPos"])
            Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty(member).GetRawText()).Distinct().Count());
    }

    private static JsonDocument Dashboard() => JsonDocument.Parse(Repository.Read("deploy/grafana.json"));

    [GeneratedRegex(@"\.Create(?:Counter|Histogram|UpDownCounter|ObservableGauge)(?:<\w+>)?\(\s*""([a-z0-9_.]+)""")]
    private static partial Regex MeterName();

    // Names as Prometheus writes them: with the unit of durations and the suffix of the kind.
    [GeneratedRegex("(dunlin_[a-z_]+?)(?:_seconds)?(?:_bucket|_total)?(?![a-z_])")]
    private static partial Regex Figure();
}
