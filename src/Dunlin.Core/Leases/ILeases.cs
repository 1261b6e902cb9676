using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Acquires leases as handles, for code that holds leases itself: a worker, an import, a scheduled task. Thread-safe.</summary>
/// <remarks>
/// Requests of users, which choose their own lease id and may reach any node, use <see cref="LeaseService"/>. Inside a transaction use
/// <c>unit.Leases</c>.
/// </remarks>
/// <example>
/// <code>
/// await using var lease = await leases.TryAcquireAsync(ResourceName.Of("imports", "42"), TimeSpan.FromMinutes(1));
/// if (lease is null)
///     return;                                           // another process holds it
/// await store.WriteAsync(async (unit, ct) =>
/// {
///     await unit.Leases.RequireAsync(lease, ct);        // refuses the write if the lease is lost
///     await unit.AppendAsync(..., ct);
/// }, lease.Lost);
/// </code>
/// </example>
public interface ILeases
{
    /// <summary>Acquires a lease, or returns null if another owner holds it. Does not wait for the holder and does not queue.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">The duration of the lease; <c>default</c> uses <see cref="LeaseOptions.DefaultDuration"/>.</param>
    /// <param name="settings">The owner, renewal and lease id; null uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A lease that was granted meanwhile is released.</param>
    /// <returns>The handle; null if another owner holds the lease.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: an argument is out of range.
    /// <see cref="ErrorCode.TooManyRequests"/>: the owner holds <see cref="LeaseOptions.MaxPerUser"/> leases.
    /// <see cref="ErrorCode.NotFound"/>: the resource does not exist.
    /// <see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.OutcomeUnknown"/>: the store failed.
    /// </exception>
    ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// Acquires a lease. Waits in its queue while other owners hold it. The queue is first in, first out, across all nodes.
    /// </summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">The duration of the lease; <c>default</c> uses <see cref="LeaseOptions.DefaultDuration"/>.</param>
    /// <param name="settings">The owner, renewal and lease id; null uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request: leaves the queue, and releases a lease that was granted meanwhile.</param>
    /// <exception cref="DunlinException">As for <see cref="TryAcquireAsync"/>. <see cref="ErrorCode.QueueFull"/>: the queue has its maximum
    /// length.</exception>
    ValueTask<Lease> AcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>Returns a handle for a lease that is already held, for example one acquired in a unit of work that has committed.</summary>
    /// <param name="claim">The claim of the holder; see <see cref="LeaseResult.Claim"/>.</param>
    /// <param name="settings">The renewal and origin. Owner and lease id are those of the claim.</param>
    /// <param name="cancellationToken">Cancels the request. The lease stays.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease.</exception>
    ValueTask<Lease> AttachAsync(LeaseClaim claim, LeaseSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Returns the lease of a resource; null if it has no holder.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<LeaseInfo?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default);
}
