using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Outcome of a request for a lease.</summary>
public enum LeaseStatus
{
    /// <summary>The caller is the new holder.</summary>
    Granted,

    /// <summary>The caller was the holder already (the same lease id): the same grant again.</summary>
    Same,

    /// <summary>The caller waits in the queue.</summary>
    Queued,

    /// <summary>Another holds it.</summary>
    Held,
}

/// <summary>The answer to a request for a lease.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Lease">The state after the request.</param>
/// <param name="Now">The time of the answer, by the clock that judges leases.</param>
public sealed record LeaseResult(LeaseStatus Status, LeaseInfo Lease, DateTimeOffset Now)
{
    /// <summary>The caller's secret; null where the caller is not the holder.</summary>
    public string? LeaseId { get; init; }

    /// <summary>One-based place in the queue; 0 where the caller does not wait.</summary>
    public int QueuePosition { get; init; }

    /// <summary>Whether the caller holds the lease now.</summary>
    public bool IsHolder => Status is LeaseStatus.Granted or LeaseStatus.Same;

    /// <summary>The claim of the holder; null where the caller is not the holder.</summary>
    public LeaseClaim? Claim => IsHolder ? new LeaseClaim(Lease.Resource, LeaseId!, Lease.Owner!.UserId, Lease.FencingToken) : null;

    /// <summary>Returns this result where the caller holds the lease.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/> with the holder and expiry: another holds it.</exception>
    public LeaseResult OrThrow() => IsHolder ? this : throw LeaseErrors.Held(Lease);

    internal static LeaseResult Of(LeaseStatus status, LeaseRow row, DateTimeOffset now, int queuePosition = 0) =>
        new(status, LeaseInfo.Of(row), now)
        {
            LeaseId = status is LeaseStatus.Granted or LeaseStatus.Same ? row.LeaseId : null,
            QueuePosition = queuePosition,
        };
}

/// <summary>A page of a list of leases.</summary>
/// <param name="Leases">By resource name.</param>
/// <param name="Next">Where the next page starts (<see cref="LeaseQuery.After"/>): the name of the last lease; null for the last
/// page.</param>
/// <param name="Position">Lies before every change that is not in the page.</param>
/// <param name="Now">The time of the list, by the clock that judges leases.</param>
public sealed record LeasePage(IReadOnlyList<LeaseInfo> Leases, string? Next, Position Position, DateTimeOffset Now);

/// <summary>Creates the errors of leases with the members that the HTTP reference names.</summary>
public static class LeaseErrors
{
    /// <summary>Another holds it: 423 with holder and expiry.</summary>
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

    /// <summary>The lease ended: 409 with the reason and the current holder.</summary>
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

    /// <summary>Returns the reason as errors carry it: <c>expired | taken | handedOff | released | unknown</c>. A lease whose
    /// connection or session ended was released by the server.</summary>
    public static string ReasonText(LeaseEnd end) =>
        end switch
        {
            LeaseEnd.Disconnected or LeaseEnd.SignedOut => "released",
            _ => WireName(end),
        };

    /// <summary>Returns what others may know of a holder: user, name, connection and device, never the session.</summary>
    public static PublicOwner? HolderOf(LeaseInfo lease) => lease.Owner is null ? null : PublicOwner.Of(lease.Owner);

    /// <summary>The name in events and metrics. A preemption keeps the name that clients know.</summary>
    internal static string WireName(LeaseEnd end) =>
        end == LeaseEnd.Preempted ? "taken" : JsonNamingPolicy.CamelCase.ConvertName(end.ToString());
}

/// <summary>What others may know of a holder.</summary>
public sealed record PublicOwner(string UserId, string Name, string? ConnectionId, string? Device)
{
    /// <summary>Returns the public part of an owner.</summary>
    public static PublicOwner Of(LeaseOwner owner) => new(owner.UserId, owner.Name, owner.ConnectionId, owner.DeviceId);
}
