using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="IHealthChecksBuilder"/> with Dunlin's health checks.</summary>
public static class DunlinHealthServices
{
    /// <summary>Adds Dunlin's health checks. Further calls have no effect.</summary>
    /// <remarks>
    /// <list type="table">
    /// <item><term><c>dunlin-live</c></term><description>Tag <c>live</c>. Healthy while the process responds.</description></item>
    /// <item><term><c>dunlin-store</c></term><description>Tag <c>ready</c>. Unhealthy while the store rejects writes.</description></item>
    /// <item><term><c>dunlin-node</c></term><description>Tag <c>ready</c>. Unhealthy while the node drains.</description></item>
    /// <item><term><c>dunlin-loops</c></term><description>Tag <c>ready</c>. Degraded while a background loop keeps failing, for example the
    /// connection to Redis.</description></item>
    /// </list>
    /// </remarks>
    public static IHealthChecksBuilder AddDunlin(this IHealthChecksBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Transient<IConfigureOptions<HealthCheckServiceOptions>, DunlinChecks>());
        return builder;
    }
}
