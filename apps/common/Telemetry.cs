using System.Globalization;
using System.Net;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dunlin.Apps.Common;

/// <summary>
/// Exports metrics and traces of a program. The standard setting <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector that receives both
/// (OpenTelemetry specification, "OTLP Exporter Configuration"). <c>Dunlin:Metrics=true</c> serves metrics to Prometheus on a separate
/// listener.
/// </summary>
public static class Telemetry
{
    private const string ScrapePath = "/metrics";

    // The default port of OpenTelemetry's Prometheus exporters. Loopback, because metrics need no sign-in.
    private const string DefaultAddress = "127.0.0.1:9464";

    /// <summary>Adds the exporters that the configuration enables.</summary>
    /// <exception cref="InvalidOperationException"><c>Dunlin:Metrics</c> or <c>Dunlin:MetricsAddress</c> has an invalid value.</exception>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var isPushed = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        var scraped = ScrapeEndpoint(builder.Configuration);
        if (!isPushed && scraped is null)
            return;
        var name = builder.Configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } given ? given : "dunlin";
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(name));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter("Dunlin.*").AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddNpgsqlInstrumentation();
            if (isPushed)
                metrics.AddOtlpExporter();
            if (scraped is not null)
                metrics.AddPrometheusExporter();
        });
        if (isPushed)
            telemetry.WithTracing(traces =>
                traces.AddSource(DunlinActivities.Name).AddAspNetCoreInstrumentation().AddNpgsql().AddOtlpExporter()
            );
        if (scraped is null)
            return;
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                scraped,
                static listener =>
                    listener.Use(next =>
                        connection =>
                        {
                            connection.Features.Set(MetricsConnection.Mark);
                            return next(connection);
                        }
                    )
            )
        );
    }

    /// <summary>
    /// Serves metrics on their listener, which answers 404 to any other path. No other listener serves metrics. Call this before adding any
    /// other middleware.
    /// </summary>
    public static void UseTelemetry(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (ScrapeEndpoint(app.Configuration) is null)
            return;
        // Decide by the accepting socket: a request can claim any host and port.
        app.MapWhen(
            static context => context.Features.Get<MetricsConnection>() is not null,
            static branch =>
            {
                branch.UseOpenTelemetryPrometheusScrapingEndpoint(static context =>
                    HttpMethods.IsGet(context.Request.Method) && context.Request.Path.Equals(ScrapePath, StringComparison.Ordinal)
                );
                branch.Run(static context =>
                {
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    return context.Response.WriteAsync($"This listener serves GET {ScrapePath} only.\n");
                });
            }
        );
    }

    /// <summary>Reads the address of the metrics listener.</summary>
    /// <returns>Null if <c>Dunlin:Metrics</c> is off.</returns>
    /// <exception cref="InvalidOperationException"><c>Dunlin:Metrics</c> or <c>Dunlin:MetricsAddress</c> has an invalid value.</exception>
    internal static IPEndPoint? ScrapeEndpoint(IConfiguration configuration)
    {
        var section = configuration.GetSection(SettingSections.Root);
        var (flag, address) = (section["Metrics"], section["MetricsAddress"]);
        var isOn = false;
        if (!string.IsNullOrEmpty(flag) && !bool.TryParse(flag, out isOn))
            throw new InvalidOperationException($"Dunlin:Metrics must be true or false, not '{flag}'.");
        // Validate the address even while metrics are off, so that an error shows before somebody enables them.
        var endpoint =
            Parse(address is { Length: > 0 } ? address : DefaultAddress)
            ?? throw new InvalidOperationException(
                $"Dunlin:MetricsAddress must be an IP address and a port such as {DefaultAddress}, not '{address}'."
            );
        return isOn ? endpoint : null;
    }

    private static IPEndPoint? Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        if (host is ['[', .. var inner, ']'])
            host = inner;
        else if (host.Contains(':', StringComparison.Ordinal))
            return null;
        var address =
            host == "localhost" ? IPAddress.Loopback
            : AddressText.TryParse(host, out var parsed) ? parsed
            : null;
        var isPort = int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port);
        return address is not null && isPort && port is > 0 and <= IPEndPoint.MaxPort ? new IPEndPoint(address, port) : null;
    }

    /// <summary>Marks connections that the metrics listener accepted.</summary>
    private sealed class MetricsConnection
    {
        public static readonly MetricsConnection Mark = new();
    }
}
