using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Dunlin's health checks.</summary>
public static class DunlinHealthServices
{
    /// <summary>
    /// Adds the checks <c>dunlin-live</c> (tag <c>live</c>: the process answers), and with the tag <c>ready</c> <c>dunlin-store</c>
    /// (unhealthy while the store takes no writes), <c>dunlin-node</c> (unhealthy while the node drains) and <c>dunlin-loops</c> (degraded
    /// while a background loop, for example the connection to Redis, keeps failing). Calling it again changes nothing.
    /// </summary>
    public static IHealthChecksBuilder AddDunlin(this IHealthChecksBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Transient<IConfigureOptions<HealthCheckServiceOptions>, DunlinChecks>());
        return builder;
    }
}
