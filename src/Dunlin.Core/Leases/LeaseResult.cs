using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>The outcome of a request for a lease.</summary>
public enum LeaseStatus
{
    /// <summary>The requester is the new holder.</summary>
    Granted,

    /// <summary>The requester was already the holder (same lease id). The grant is unchanged.</summary>
    Same,

    /// <summary>The requester waits in the queue.</summary>
    Queued,

    /// <summary>Another owner holds the lease.</summary>
    Held,
}

/// <summary>The result of a request for a lease. Immutable.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Lease">The state after the request.</param>
/// <param name="Now">The time of the result (UTC), by the clock that decides lease expiry.</param>
public sealed record LeaseResult(LeaseStatus Status, LeaseInfo Lease, DateTimeOffset Now)
{
    /// <summary>Gets the secret lease id; null if the requester is not the holder.</summary>
    public string? LeaseId { get; init; }

    /// <summary>Gets the one-based position in the queue; 0 if the requester does not wait.</summary>
    public int QueuePosition { get; init; }

    /// <summary>Gets whether the requester holds the lease.</summary>
    public bool IsHolder => Status is LeaseStatus.Granted or LeaseStatus.Same;

    /// <summary>Gets the claim of the holder; null if the requester is not the holder.</summary>
    public LeaseClaim? Claim => IsHolder ? new LeaseClaim(Lease.Resource, LeaseId!, Lease.Owner!.UserId, Lease.FencingToken) : null;

    /// <summary>Returns this result if the requester holds the lease, and throws otherwise.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/>: another owner holds the lease; the error has the holder and the
    /// expiry.</exception>
    public LeaseResult OrThrow() => IsHolder ? this : throw LeaseErrors.Held(Lease);

    internal static LeaseResult Of(LeaseStatus status, LeaseRow row, DateTimeOffset now, int queuePosition = 0) =>
        new(status, LeaseInfo.Of(row), now)
        {
            LeaseId = status is LeaseStatus.Granted or LeaseStatus.Same ? row.LeaseId : null,
            QueuePosition = queuePosition,
        };
}

/// <summary>A page of leases.</summary>
/// <param name="Leases">The leases, ordered by resource name.</param>
/// <param name="Next">The value of <see cref="LeaseQuery.After"/> for the next page; null for the last page.</param>
/// <param name="Position">A journal position before every change that is not in the page.</param>
/// <param name="Now">The time of the list (UTC), by the clock that decides lease expiry.</param>
public sealed record LeasePage(IReadOnlyList<LeaseInfo> Leases, string? Next, Position Position, DateTimeOffset Now);

/// <summary>Creates the errors of leases, with the extension members of the HTTP reference.</summary>
internal static class LeaseErrors
{
    /// <summary>Creates the error for a lease that another owner holds: HTTP 423 with holder and expiry.</summary>
    /// <param name="lease">The lease.</param>
    public static DunlinException Held(LeaseInfo lease) =>
        new(ErrorCode.LeaseHeld, lease.Owner is null ? null : $"{lease.Owner.Name} holds the lease of '{lease.Resource}'.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["resource"] = lease.Resource.Value,
                ["holder"] = HolderOf(lease),
                ["expiresAt"] = lease.Owner is null ? null : lease.ExpiresAt,
                ["queue"] = lease.Waiting,
            },
        };

    /// <summary>Creates the error for a lost lease: HTTP 409 with the reason and the current holder.</summary>
    /// <param name="lease">The current lease; null if there is none.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="reason">Why the lease ended.</param>
    public static DunlinException Lost(LeaseInfo? lease, ResourceName resource, LeaseEnd reason) =>
        new(ErrorCode.LeaseLost, $"You no longer hold the lease of '{resource}' (reason: {ReasonText(reason)}).")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["resource"] = resource.Value,
                ["reason"] = ReasonText(reason),
                ["holder"] = lease is null ? null : HolderOf(lease),
            },
        };

    /// <summary>
    /// Returns the reason as errors carry it: <c>expired</c>, <c>taken</c>, <c>handedOff</c>, <c>released</c> or <c>unknown</c>.
    /// </summary>
    /// <remarks>Lost connections and ended sessions are reported as <c>released</c>.</remarks>
    /// <param name="end">The reason.</param>
    public static string ReasonText(LeaseEnd end) =>
        end switch
        {
            LeaseEnd.Disconnected or LeaseEnd.SignedOut => "released",
            _ => WireName(end),
        };

    /// <summary>
    /// Returns the public data of the holder: user, name, connection and device, but not the session. Null if there is no holder.
    /// </summary>
    /// <param name="lease">The lease.</param>
    public static PublicOwner? HolderOf(LeaseInfo lease) => lease.Owner is null ? null : PublicOwner.Of(lease.Owner);

    /// <summary>Returns the name in events and metrics. A preemption keeps the name <c>taken</c>, which clients already use.</summary>
    internal static string WireName(LeaseEnd end) =>
        end == LeaseEnd.Preempted ? "taken" : JsonNamingPolicy.CamelCase.ConvertName(end.ToString());
}

/// <summary>The public data of a holder.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">The display name.</param>
/// <param name="ConnectionId">The stream connection of the page; null if unknown.</param>
/// <param name="Device">The browser or device; null if unknown.</param>
public sealed record PublicOwner(string UserId, string Name, string? ConnectionId, string? Device)
{
    /// <summary>Returns the public data of an owner.</summary>
    /// <param name="owner">The owner.</param>
    public static PublicOwner Of(LeaseOwner owner) => new(owner.UserId, owner.Name, owner.ConnectionId, owner.DeviceId);
}
