using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>What a request for a lease came to.</summary>
public enum LeaseResult
{
    /// <summary>The caller is the new holder.</summary>
    Granted,

    /// <summary>The caller was the holder already (the same lease id): the same grant again.</summary>
    Same,

    /// <summary>The caller waits in the queue.</summary>
    Queued,

    /// <summary>Somebody else holds it.</summary>
    Held,
}

/// <summary>The answer to a request for a lease.</summary>
/// <param name="Result">What it came to.</param>
/// <param name="Row">The state after the request; its <see cref="LeaseRow.LeaseId"/> is the holder's secret and must not be shown to
/// others.</param>
/// <param name="Now">The time of the answer, by the clock that judges leases.</param>
/// <param name="QueuePosition">One-based place in the queue; 0 where the caller does not wait.</param>
public sealed record LeaseAnswer(LeaseResult Result, LeaseRow Row, DateTimeOffset Now, int QueuePosition = 0)
{
    /// <summary>Whether the caller holds the lease now.</summary>
    public bool IsHolder => Result is LeaseResult.Granted or LeaseResult.Same;

    /// <summary>Passes the answer on where the caller holds the lease; otherwise throws <see cref="ErrorCode.LeaseHeld"/> with the
    /// holder and expiry.</summary>
    public LeaseAnswer OrThrow() => IsHolder ? this : throw LeaseErrors.Held(Row);
}

/// <summary>A page of a list of leases.</summary>
/// <param name="Rows">By resource name.</param>
/// <param name="Next">Where the next page goes on (<see cref="LeaseQuery.After"/>): the name of the last row; null where this page is the
/// last one.</param>
/// <param name="Position">Lies before every change that is not in the page.</param>
/// <param name="Now">The time of the list, by the clock that judges leases.</param>
public sealed record LeasePage(IReadOnlyList<LeaseRow> Rows, string? Next, Position Position, DateTimeOffset Now);

/// <summary>The errors of leases, with what the contract says they carry.</summary>
public static class LeaseErrors
{
    /// <summary>Another holds it: 423 with holder and expiry.</summary>
    public static DunlinException Held(LeaseRow row) =>
        new(ErrorCode.LeaseHeld, row.Owner is null ? null : $"Held by {row.Owner.Name}.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["resource"] = row.Resource.Value,
                ["holder"] = HolderOf(row),
                ["expiresAt"] = row.LeaseId is null ? null : row.ExpiresAt,
                ["queue"] = row.Waiters.Count,
            },
        };

    /// <summary>The lease ended: 409 with the reason and the current holder.</summary>
    public static DunlinException Lost(LeaseRow? row, ResourceName resource, LeaseEnd reason) =>
        new(ErrorCode.LeaseLost, $"The lease of '{resource}' is no longer yours ({ReasonText(reason)}).")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["resource"] = resource.Value,
                ["reason"] = ReasonText(reason),
                ["holder"] = row is null ? null : HolderOf(row),
            },
        };

    /// <summary>The reason in the words of the wire: <c>expired | taken | handedOff | released | unknown</c>. A lease whose
    /// connection or session went away was released by the server.</summary>
    public static string ReasonText(LeaseEnd end) =>
        end switch
        {
            LeaseEnd.Disconnected or LeaseEnd.SignedOut => "released",
            _ => JsonNamingPolicy.CamelCase.ConvertName(end.ToString()),
        };

    /// <summary>What others may know of a holder: user, name, connection and device, never the session or the lease id.</summary>
    public static object? HolderOf(LeaseRow row) => row.LeaseId is null || row.Owner is null ? null : PublicOwner.Of(row.Owner);
}

/// <summary>What others may know of a holder.</summary>
public sealed record PublicOwner(string UserId, string Name, string? ConnectionId, string? Device)
{
    /// <summary>The public part of an owner.</summary>
    public static PublicOwner Of(LeaseOwner owner) => new(owner.UserId, owner.Name, owner.ConnectionId, owner.DeviceId);
}
