using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;
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
    public async Task Figures_reach_the_collector_that_the_standard_setting_names()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        var received = Channel.CreateUnbounded<string>();
        collector.MapPost("/v1/metrics", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await received.Writer.WriteAsync(Encoding.Latin1.GetString(body.ToArray()));
            return Results.Ok();
        });
        await collector.StartAsync();
        await using var host = new HostProcess();
        host.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        host.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        host.Settings["OTEL_METRIC_EXPORT_INTERVAL"] = "100";
        await host.StartAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var text = "";
        // Protobuf keeps names as they are.
        while (!text.Contains("dunlin.journal.append.duration", StringComparison.Ordinal))
            text = await received.Reader.ReadAsync(patience.Token);
        Assert.Contains("dunlin.journal.queue.length", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_figure_of_the_dashboard_exists()
    {
        var root = NginxProcess.Root();
        var names = Directory.EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => MeterName().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value.Replace('.', '_'))
            .ToHashSet(StringComparer.Ordinal);
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(root, "deploy", "grafana.json")));
        var shown = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .SelectMany(target => Figure().Matches(target.GetProperty("expr").GetString()!))
            .Select(match => match.Groups[1].Value)
            .ToList();
        Assert.True(shown.Count > 10, $"{shown.Count} figures");
        Assert.Empty(shown.Except(names, StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\.Create(?:Counter|Histogram|UpDownCounter|ObservableGauge)(?:<\w+>)?\(""([a-z0-9_.]+)""")]
    private static partial Regex MeterName();

    // As Prometheus names them: with the unit of durations, and what belongs to the kind.
    [GeneratedRegex("(dunlin_[a-z_]+?)(?:_seconds)?(?:_bucket|_total)?(?![a-z_])")]
    private static partial Regex Figure();
}
