using System.Diagnostics.CodeAnalysis;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>Reports that the process responds. Always healthy.</summary>
internal sealed class LiveCheck : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy());
}

/// <summary>Reports whether the store accepts writes.</summary>
internal sealed class StoreCheck(IStoreHealth store) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            store.Fault is { } fault
                ? HealthCheckResult.Unhealthy("the store failed: " + fault.GetType().Name, fault)
                : HealthCheckResult.Healthy()
        );
}

/// <summary>Reports whether the node accepts connections. Unhealthy while the node drains.</summary>
internal sealed class NodeCheck(EventFanout fanout) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(fanout.IsDraining ? HealthCheckResult.Unhealthy("draining") : HealthCheckResult.Healthy());
}

/// <summary>Reports whether the background loops run without faults, including the loops of the backplane. Degraded while a loop keeps
/// failing: the node still serves requests, but the work of that loop is late.</summary>
internal sealed class LoopsCheck(BackgroundLoops loops) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            loops.Failing is { Count: > 0 } failing
                ? HealthCheckResult.Degraded("background loops keep failing: " + string.Join(", ", failing))
                : HealthCheckResult.Healthy()
        );
}

/// <summary>Registers the health checks. The container adds one instance however often <c>AddDunlin</c> is called.</summary>
internal sealed class DunlinChecks : IConfigureOptions<HealthCheckServiceOptions>
{
    public void Configure(HealthCheckServiceOptions options)
    {
        Add<LiveCheck>("dunlin-live", HealthCheckTags.Live);
        Add<StoreCheck>("dunlin-store", HealthCheckTags.Ready);
        Add<NodeCheck>("dunlin-node", HealthCheckTags.Ready);
        Add<LoopsCheck>("dunlin-loops", HealthCheckTags.Ready);

        void Add<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(string name, string tag)
            where T : class, IHealthCheck =>
            options.Registrations.Add(
                new HealthCheckRegistration(name, ActivatorUtilities.GetServiceOrCreateInstance<T>, failureStatus: null, [tag])
            );
    }
}

/// <summary>The tags of Dunlin's health checks.</summary>
internal static class HealthCheckTags
{
    public const string Live = "live";
    public const string Ready = "ready";
}
