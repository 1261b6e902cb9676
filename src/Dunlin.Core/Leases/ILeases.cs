using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>
/// Acquires leases as handles, for code that holds them itself: a worker, an import, a scheduled task. Safe for concurrent use.
/// <code>
/// await using var lease = await leases.TryAcquireAsync(ResourceName.Of("imports", "42"), TimeSpan.FromMinutes(1));
/// if (lease is null)
///     return;                                           // another holds it
/// await store.WriteAsync(async (unit, ct) =>
/// {
///     await unit.Leases.RequireAsync(lease, ct);        // refuses the write if the lease is lost
///     await unit.AppendAsync(..., ct);
/// }, lease.Lost);
/// </code>
/// </summary>
/// <remarks>
/// Requests of users, which name their own lease id and may come to any node, use <see cref="LeaseService"/>. Inside a transaction use
/// <c>unit.Leases</c>.
/// </remarks>
public interface ILeases
{
    /// <summary>Acquires a lease, or returns null where another holds it. Never waits for the holder and never queues.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">How long the lease lasts; <c>default</c> for <see cref="LeaseOptions.DefaultDuration"/>.</param>
    /// <param name="settings">Owner, renewal, lease id; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up; a lease that was granted meanwhile is released.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is out of range;
    /// <see cref="ErrorCode.TooManyRequests"/>: the owner holds <see cref="LeaseOptions.MaxPerUser"/> leases;
    /// <see cref="ErrorCode.NotFound"/>: there is no such resource; the errors of the store.</exception>
    ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>Acquires a lease, and waits in its queue while others hold it. The queue is first in, first out, across all
    /// nodes.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">How long the lease lasts; <c>default</c> for <see cref="LeaseOptions.DefaultDuration"/>.</param>
    /// <param name="settings">Owner, renewal, lease id; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up: leaves the queue, and releases a lease that was granted meanwhile.</param>
    /// <exception cref="DunlinException">As <see cref="TryAcquireAsync"/>; <see cref="ErrorCode.QueueFull"/>: too many wait.</exception>
    ValueTask<Lease> AcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>Returns a handle for a lease that is held already, for example one that was acquired in a unit of work which has
    /// committed.</summary>
    /// <param name="claim">The claim of the holder; see <see cref="LeaseResult.Claim"/>.</param>
    /// <param name="settings">Renewal and origin; owner and lease id are those of the claim.</param>
    /// <param name="cancellationToken">Gives up; the lease stays.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease.</exception>
    ValueTask<Lease> AttachAsync(LeaseClaim claim, LeaseSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Returns the lease of a resource; null where nobody holds it.</summary>
    ValueTask<LeaseInfo?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default);
}
