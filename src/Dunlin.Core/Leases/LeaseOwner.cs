namespace Dunlin.Leases;

/// <summary>The reason for the end of a lease.</summary>
public enum LeaseEnd
{
    /// <summary>There was no lease, or its end is no longer stored.</summary>
    Unknown,

    /// <summary>The holder released the lease, or the server released it.</summary>
    Released,

    /// <summary>The lease was not renewed in time.</summary>
    Expired,

    /// <summary>The holder handed the lease off.</summary>
    HandedOff,

    /// <summary>A user with the right to preempt took the lease.</summary>
    Preempted,

    /// <summary>The holder's last connection was lost for longer than the grace period.</summary>
    Disconnected,

    /// <summary>The holder's session ended.</summary>
    SignedOut,
}

/// <summary>The holder of a lease, or a waiter for it.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">The display name.</param>
/// <param name="SessionId">The sign-in session. Its end releases the lease.</param>
/// <param name="ConnectionId">The stream connection of the page. Used for the disconnect grace period if there is no device id.</param>
/// <param name="DeviceId">The browser. No grace period runs while any connection of this session and device is open.</param>
public sealed record LeaseOwner(string UserId, string Name, string? SessionId = null, string? ConnectionId = null, string? DeviceId = null)
{
    /// <summary>
    /// Gets the owner for leases of this process. Its user id is <c>server:</c> and a random part that is new at each start.
    /// </summary>
    public static LeaseOwner Process { get; } =
        new("server:" + System.Security.Cryptography.RandomNumberGenerator.GetHexString(12, lowercase: true), "Server");
}
