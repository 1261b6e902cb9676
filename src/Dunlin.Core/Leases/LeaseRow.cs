using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Why a lease ended.</summary>
public enum LeaseEnd
{
    /// <summary>There never was one, or its end is forgotten.</summary>
    Unknown,

    /// <summary>Its holder gave it back.</summary>
    Released,

    /// <summary>It was not renewed in time.</summary>
    Expired,

    /// <summary>Its holder passed it on.</summary>
    HandedOff,

    /// <summary>Somebody with the right to do so took it.</summary>
    Taken,

    /// <summary>Its holder's last connection was gone for longer than the grace.</summary>
    Disconnected,

    /// <summary>Its holder signed out, or was signed out.</summary>
    SignedOut,
}

/// <summary>Who holds, or waits for, a lease.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">The name shown to others.</param>
/// <param name="SessionId">The sign-in session; its end releases the lease.</param>
/// <param name="ConnectionId">The stream connection of the page; used for the grace where there is no device.</param>
/// <param name="DeviceId">The browser: while any connection of this session and device is open, the lease has no grace running.</param>
public sealed record LeaseOwner(string UserId, string Name, string? SessionId = null, string? ConnectionId = null, string? DeviceId = null);

/// <summary>One who waits. Waiters are served first in, first out.</summary>
/// <param name="LeaseId">The lease id that the waiter chose; becomes the lease's when it is granted.</param>
/// <param name="Owner">Who waits.</param>
/// <param name="Seconds">The duration that was asked for.</param>
/// <param name="Since">When it joined the queue.</param>
/// <param name="Until">When it leaves the queue unserved; repeating the request moves it.</param>
public sealed record Waiter(string LeaseId, LeaseOwner Owner, int Seconds, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>
/// Everything that is known of one resource: its holder (if any), its queue, and how the last lease ended. A row stays
/// for a while after the end, so that a late holder is told why. Immutable.
/// </summary>
public sealed record LeaseRow(ResourceName Resource)
{
    /// <summary>The fencing token of the current lease, or of the last one. Grows with every grant.</summary>
    public long Fence { get; init; }

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

    /// <summary>How the lease before (or, while somebody takes it, how the current one will end).</summary>
    public LeaseEnd End { get; init; }

    /// <summary>The secret of the lease that ended last, to tell its holder the reason.</summary>
    public string? EndedLeaseId { get; init; }

    /// <summary>When the last lease ended; the row of a free resource may be dropped some time after.</summary>
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>Whether a take is pending: the lease can no longer be renewed and goes to the first waiter when it ends.</summary>
    public bool Ending { get; init; }

    /// <summary>The queue, first in first out.</summary>
    public IReadOnlyList<Waiter> Waiters { get; init; } = [];

    /// <summary>Whether somebody holds the lease at this time.</summary>
    public bool IsHeldAt(DateTimeOffset now) => LeaseId is not null && ExpiresAt > now;
}
