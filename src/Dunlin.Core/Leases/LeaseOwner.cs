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

    /// <summary>Somebody with the right to do so preempted it.</summary>
    Preempted,

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
public sealed record LeaseOwner(string UserId, string Name, string? SessionId = null, string? ConnectionId = null, string? DeviceId = null)
{
    /// <summary>The running process, for leases that no user asks for. Its user id is <c>server:</c> and a random part, new at each
    /// start.</summary>
    public static LeaseOwner Process { get; } =
        new("server:" + System.Security.Cryptography.RandomNumberGenerator.GetHexString(12, lowercase: true), "Server");
}
