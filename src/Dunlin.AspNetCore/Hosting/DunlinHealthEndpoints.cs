using Dunlin.Hosting;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the health check endpoints.</summary>
public static class DunlinHealthEndpoints
{
    /// <summary>Maps <c>live</c> and <c>ready</c> below <paramref name="prefix"/>. Each runs the health checks that carry its tag, those of
    /// the application included.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="prefix">The path prefix. Default: <c>/healthz</c>.</param>
    /// <returns>A builder for conventions that apply to both endpoints.</returns>
    /// <remarks>A healthy or degraded endpoint answers 200 with its tag as text. An unhealthy one answers 503 with the reason.</remarks>
    /// <exception cref="InvalidOperationException"><c>AddHealthChecks()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinHealth(this IEndpointRouteBuilder endpoints, string prefix = "/healthz")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(HealthCheckService)))
            throw new InvalidOperationException("Call builder.Services.AddHealthChecks().AddDunlin() before app.MapDunlinHealth().");
        var group = endpoints.MapGroup(prefix).ExcludeFromDescription().WithHead();
        Map(group, HealthCheckTags.Live);
        Map(group, HealthCheckTags.Ready);
        return group;
    }

    private static void Map(RouteGroupBuilder group, string tag) =>
        group
            .MapHealthChecks(
                tag,
                new HealthCheckOptions
                {
                    Predicate = check => check.Tags.Contains(tag),
                    ResponseWriter = (context, report) => WriteAsync(context, report, tag),
                }
            )
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));

    private static Task WriteAsync(HttpContext context, HealthReport report, string tag)
    {
        var reason = report
            .Entries.Where(entry => entry.Value.Status == report.Status)
            .Select(entry => entry.Value.Description ?? entry.Key)
            .FirstOrDefault();
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(report.Status == HealthStatus.Unhealthy && reason is not null ? reason : tag);
    }
}
