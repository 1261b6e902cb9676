using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A change of a lease. The cause may be a request, expiry, lost connection, sign-out, hand-off or preemption.</summary>
/// <param name="Kind">The kind of change.</param>
/// <param name="Resource">The resource.</param>
/// <param name="FencingToken">The fencing token of the lease.</param>
/// <param name="Owner">The new holder (granted), the previous holder (released, ending) or the waiter (queued).</param>
/// <param name="ExpiresAt">The expiry of the lease unless it is renewed (UTC). For <see cref="LeaseChangeKind.Ending"/>, the
/// deadline.</param>
/// <param name="End">The reason for the end; <see cref="LeaseEnd.Unknown"/> for a grant.</param>
/// <param name="Origin">The cause; null if it is the passage of time.</param>
/// <param name="Reason">The text of the preemption; null if there is none.</param>
public sealed record LeaseChange(
    LeaseChangeKind Kind,
    ResourceName Resource,
    FencingToken FencingToken,
    LeaseOwner Owner,
    DateTimeOffset ExpiresAt,
    LeaseEnd End = LeaseEnd.Unknown,
    EventOrigin? Origin = null,
    string? Reason = null
)
{
    /// <summary>Gets <see cref="End"/> as the word that the wire uses, such as <c>expired</c>.</summary>
    public string EndReason => LeaseErrors.ReasonText(End);
}

/// <summary>The kinds of <see cref="LeaseChange"/>.</summary>
public enum LeaseChangeKind
{
    /// <summary>An owner became the holder.</summary>
    Granted,

    /// <summary>The holder lost or released the lease.</summary>
    Released,

    /// <summary>A preemption is pending: the holder can save its work until the deadline.</summary>
    Ending,

    /// <summary>An owner joined the queue.</summary>
    Queued,
}

/// <summary>
/// Announces lease changes below a resource prefix as events of the application, in the transaction of the change. Must be thread-safe.
/// </summary>
/// <remarks>
/// Without an announcer, the engine appends <c>lease.granted</c>, <c>lease.released</c>, <c>lease.ending</c> and <c>lease.queued</c> to the
/// topic <c>leases/{first segment of the resource}</c>.
/// </remarks>
public interface ILeaseAnnouncer
{
    /// <summary>Appends the events of a change. Called in the unit of work that changes the lease.</summary>
    /// <param name="change">The change.</param>
    /// <param name="unit">The unit of work of the change.</param>
    /// <param name="cancellationToken">Cancels the unit of work.</param>
    ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken);
}

/// <summary>
/// Decides which resources below a prefix exist. Implement it together with <see cref="ILeaseAnnouncer"/> and register both at once. Must
/// be thread-safe.
/// </summary>
/// <remarks>
/// The engine calls it in the unit of work of every acquire, preemption and hand-off, and before it grants a lease to a waiter. For a
/// resource that does not exist, requests fail with <see cref="Diagnostics.ErrorCode.NotFound"/> and waiters leave the queue. Two spellings
/// of one thing are two resources: accept only the canonical name.
/// </remarks>
public interface ILeaseResources
{
    /// <summary>Returns whether a resource exists in this unit of work.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="unit">The unit of work of the request.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> ExistsAsync(ResourceName resource, IUnitOfWork unit, CancellationToken cancellationToken);
}

/// <summary>An announcer and its resource prefix.</summary>
/// <param name="Prefix">The prefix of the resources, segment by segment.</param>
/// <param name="Announcer">The announcer.</param>
internal sealed record LeaseAnnouncerRule(string Prefix, ILeaseAnnouncer Announcer);
