using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Dunlin.Apps.Common;

/// <summary>Sends the figures of a program to a collector, where the standard setting <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one
/// (OpenTelemetry specification, "OTLP Exporter Configuration"); the other <c>OTEL_…</c> settings count as well.</summary>
public sealed class Telemetry : IHostedService, IDisposable
{
    private MeterProvider? _provider;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
        {
            _provider = Sdk.CreateMeterProviderBuilder()
                .ConfigureResource(resource => resource.AddService("dunlin"))
                .AddMeter("Dunlin.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                .AddOtlpExporter()
                .Build();
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Sends what has not been sent yet, for a short while.</summary>
    public void Dispose() => _provider?.Dispose();
}
