using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Redis.Leases;

/// <summary>Acquires leases that exist in Redis only: cheaper than those of <see cref="ILeases"/>, with a weaker guarantee (not G3).
/// Thread-safe.</summary>
/// <remarks>
/// Use them to avoid duplicate work that wastes time but does no harm, or for a resource that compares fencing tokens itself.
/// <list type="bullet">
/// <item>There is at most one holder while Redis keeps its data. A flush, a restart without persistence, an eviction, or a fail-over to a
/// lagging replica may lose a lease. Redis then grants it to another caller while the first holder still uses it. During a partition both
/// sides may grant.</item>
/// <item>Fencing tokens always grow. Each life of Redis' data has an epoch from the store that is larger than all earlier ones, and a
/// server process never issues a number in the epoch of another process. A resource that stores the largest token and refuses smaller ones
/// is therefore safe.</item>
/// <item>A unit of work of the store cannot check a soft lease in its transaction. Protect data in the store with a lease of
/// <see cref="ILeases"/>.</item>
/// <item>There are no announcements, no queue and no hand-off. Neither a lost connection nor a sign-out ends a lease: it expires. A handle
/// detects a loss by its clock and at its next renewal.</item>
/// </list>
/// Redis measures durations with its wall clock. Each call throws <see cref="ErrorCode.OutcomeUnknown"/> if Redis does not respond (or, for
/// the first grant of an epoch, the store). Its outcome is then unknown: repeat it with the same <see cref="LeaseSettings.LeaseId"/>.
/// </remarks>
public interface ISoftLeases
{
    /// <summary>Acquires a lease, or returns null if another caller holds it. With the same lease id it returns the same grant and restarts
    /// its duration.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">The duration of the lease. <c>default</c> means 30 seconds.</param>
    /// <param name="settings">The owner, automatic renewal and lease id. Other callers see the owner's name (1 to 200 characters). Null
    /// means the defaults.</param>
    /// <param name="cancellationToken">Stops waiting for the response.</param>
    /// <returns>The lease, or null.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the lease id or the owner's name is invalid.
    /// <see cref="ErrorCode.OutcomeUnknown"/>: Redis or the store did not respond.</exception>
    ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>Returns the current holder of a resource, or null if it is free.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Stops waiting for the response.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.OutcomeUnknown"/>: Redis did not respond.</exception>
    ValueTask<SoftHolder?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default);
}

/// <summary>Describes the holder of a soft lease for other callers. Immutable.</summary>
/// <param name="Holder">The name of the owner.</param>
/// <param name="FencingToken">The fencing token of the grant.</param>
/// <param name="ValidFor">The remaining duration, unless the holder renews the lease.</param>
public sealed record SoftHolder(string Holder, FencingToken FencingToken, TimeSpan ValidFor);
