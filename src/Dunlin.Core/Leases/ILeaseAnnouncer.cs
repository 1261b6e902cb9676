using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A change of a lease, whatever its cause: request, expiry, lost connection, sign-out, hand-off or preemption.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Resource">The resource.</param>
/// <param name="FencingToken">The fencing token of the lease concerned.</param>
/// <param name="Owner">The new holder (granted), the old holder (released, ending) or the one who waits (queued).</param>
/// <param name="ExpiresAt">When the lease ends unless renewed; for <see cref="LeaseChangeKind.Ending"/> the deadline.</param>
/// <param name="End">Why it ended; <see cref="LeaseEnd.Unknown"/> for a grant.</param>
/// <param name="Origin">Who caused it; null when time did.</param>
/// <param name="Reason">The text that came with a preemption.</param>
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

/// <summary>Kinds of <see cref="LeaseChange"/>.</summary>
public enum LeaseChangeKind
{
    /// <summary>Somebody became the holder.</summary>
    Granted,

    /// <summary>The holder lost or gave back the lease.</summary>
    Released,

    /// <summary>A preemption is pending: the holder has until the deadline to save.</summary>
    Ending,

    /// <summary>Somebody joined the queue.</summary>
    Queued,
}

/// <summary>
/// Turns lease changes below one prefix into events of the application, inside the transaction of the change (G1). Where
/// none is registered, <c>lease.granted</c>, <c>lease.released</c>, <c>lease.ending</c> and <c>lease.queued</c> go to the
/// topic <c>leases/{first segment of the resource}</c>.
/// </summary>
public interface ILeaseAnnouncer
{
    /// <summary>Appends what there is to tell. Called in the unit of work that changes the lease.</summary>
    ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken);
}

/// <summary>
/// Says which resources below a prefix exist; implemented beside <see cref="ILeaseAnnouncer"/> and registered with it. Asked in the
/// unit of work of every acquire, preemption and hand-off, over whatever way the request came, and before a waiter is served. A resource
/// that does not exist has no new holder: requests fail with <see cref="Diagnostics.ErrorCode.NotFound"/>, waiters leave the queue.
/// Must be safe for concurrent use.
/// </summary>
/// <remarks>Two spellings of one thing are two resources. Accept only the canonical name.</remarks>
public interface ILeaseResources
{
    /// <summary>Whether the resource exists in this unit of work.</summary>
    ValueTask<bool> ExistsAsync(ResourceName resource, IUnitOfWork unit, CancellationToken cancellationToken);
}

/// <summary>An announcer and the prefix of the resources that it announces.</summary>
internal sealed record LeaseAnnouncerRule(string Prefix, ILeaseAnnouncer Announcer);
