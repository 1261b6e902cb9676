using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A waiter in the queue of a resource. The queue is first in, first out.</summary>
/// <param name="LeaseId">The lease id that the waiter chose. It becomes the id of the lease when granted.</param>
/// <param name="Owner">The owner who waits.</param>
/// <param name="Seconds">The requested duration in seconds.</param>
/// <param name="Since">The time at which the waiter joined the queue.</param>
/// <param name="Until">The time at which the waiter is removed from the queue. A repeated request extends it.</param>
internal sealed record Waiter(string LeaseId, LeaseOwner Owner, int Seconds, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>The stored state of one resource: its holder, its queue and the end of the last lease. Immutable.</summary>
/// <remarks>The row stays for some time after the end of the lease, to report the reason to a late holder.</remarks>
internal sealed record LeaseRow(ResourceName Resource)
{
    /// <summary>Gets the fencing token of the current lease, or of the last one. Grows with every grant.</summary>
    public long FencingToken { get; init; }

    /// <summary>Gets the secret lease id; null if there is no holder.</summary>
    public string? LeaseId { get; init; }

    /// <summary>Gets the holder; null if there is none.</summary>
    public LeaseOwner? Owner { get; init; }

    /// <summary>Gets the time of the current grant.</summary>
    public DateTimeOffset AcquiredAt { get; init; }

    /// <summary>Gets the expiry of the current lease.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Gets the duration of the current lease in seconds. A renewal without a duration uses it.</summary>
    public int Seconds { get; init; }

    /// <summary>Gets the reason for the end of the last lease.</summary>
    public LeaseEnd End { get; init; }

    /// <summary>Gets the secret lease id of the last lease, to report the reason to its holder.</summary>
    public string? EndedLeaseId { get; init; }

    /// <summary>Gets the end time of the last lease. Retention may remove the row of a free resource some time later.</summary>
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>
    /// Gets whether a preemption is pending: renewals do not extend the lease, and the first waiter gets it when it ends.
    /// </summary>
    public bool Ending { get; init; }

    /// <summary>Gets the queue: first in, first out.</summary>
    public IReadOnlyList<Waiter> Waiters { get; init; } = [];

    /// <summary>Gets the reason for the end of the current lease if it ends by expiry.</summary>
    public LeaseEnd EndOfTime => Ending ? LeaseEnd.Preempted : LeaseEnd.Expired;

    /// <summary>Returns whether the lease has a holder at this time.</summary>
    public bool IsHeldAt(DateTimeOffset now) => LeaseId is not null && ExpiresAt > now;
}
