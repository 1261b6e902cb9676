using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>One who waits. Waiters are served first in, first out.</summary>
/// <param name="LeaseId">The lease id that the waiter chose; becomes the lease's when it is granted.</param>
/// <param name="Owner">Who waits.</param>
/// <param name="Seconds">The duration that was asked for.</param>
/// <param name="Since">When it joined the queue.</param>
/// <param name="Until">When it leaves the queue unserved; repeating the request moves it.</param>
internal sealed record Waiter(string LeaseId, LeaseOwner Owner, int Seconds, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>
/// Everything that is known of one resource: its holder (if any), its queue, and how the last lease ended. A row stays
/// for a while after the end, so that a late holder is told why. Immutable.
/// </summary>
internal sealed record LeaseRow(ResourceName Resource)
{
    /// <summary>The fencing token of the current lease, or of the last one. Grows with every grant.</summary>
    public long FencingToken { get; init; }

    /// <summary>The holder's secret; null while nobody holds.</summary>
    public string? LeaseId { get; init; }

    /// <summary>The holder; null while nobody holds.</summary>
    public LeaseOwner? Owner { get; init; }

    /// <summary>When the current lease was granted.</summary>
    public DateTimeOffset AcquiredAt { get; init; }

    /// <summary>When the current lease ends unless it is renewed.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The duration of the current lease; a renewal counts it anew.</summary>
    public int Seconds { get; init; }

    /// <summary>How the lease before ended.</summary>
    public LeaseEnd End { get; init; }

    /// <summary>The secret of the lease that ended last, to tell its holder the reason.</summary>
    public string? EndedLeaseId { get; init; }

    /// <summary>When the last lease ended; the row of a free resource may be dropped some time after.</summary>
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>Whether a preemption is pending: the lease can no longer be renewed and goes to the first waiter when it ends.</summary>
    public bool Ending { get; init; }

    /// <summary>The queue, first in first out.</summary>
    public IReadOnlyList<Waiter> Waiters { get; init; } = [];

    /// <summary>How the current lease ends when its time is over.</summary>
    public LeaseEnd EndOfTime => Ending ? LeaseEnd.Preempted : LeaseEnd.Expired;

    /// <summary>Whether somebody holds the lease at this time.</summary>
    public bool IsHeldAt(DateTimeOffset now) => LeaseId is not null && ExpiresAt > now;
}
