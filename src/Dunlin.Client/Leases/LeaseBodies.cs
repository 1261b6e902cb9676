using System.Text.Json;

namespace Dunlin.Client;

/// <summary>The public description of a lease's holder. Immutable.</summary>
/// <param name="UserId">The user id.</param>
/// <param name="Name">The display name.</param>
/// <param name="ConnectionId">The connection of the holder. Null if it named none.</param>
/// <param name="Device">The device of the holder. Null if it named none.</param>
public sealed record LeaseHolder(string UserId, string? Name = null, string? ConnectionId = null, string? Device = null)
{
    /// <summary>Gets the time at which the lease expires, by the clock of the server. Null if the server did not say.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    internal static LeaseHolder? Read(JsonElement? document)
    {
        if (document is not { } root || !root.TryGetProperty("holder", out var holder) || holder.ValueKind != JsonValueKind.Object)
            return null;
        try
        {
            var read = holder.Deserialize(ClientJson.Default.LeaseHolder);
            return root.TryGetProperty("expiresAt", out var expires) && expires.TryGetDateTimeOffset(out var time)
                ? read! with
                {
                    ExpiresAt = time,
                }
                : read;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>A lease as the server describes it. Times are of the server's clock and are only compared with each other. Immutable.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Fence">The fencing token.</param>
/// <param name="State"><c>held</c>, <c>ending</c> or <c>free</c>.</param>
/// <param name="Owner">The holder. Null for a free lease.</param>
/// <param name="AcquiredAt">The time of the grant.</param>
/// <param name="ExpiresAt">The time at which the lease expires unless it is renewed.</param>
/// <param name="Seconds">The duration in seconds.</param>
/// <param name="ServerNow">The server time of the answer.</param>
/// <param name="Queue">The number of waiters.</param>
public sealed record LeaseGrant(
    string Resource,
    long Fence,
    string State,
    LeaseHolder? Owner,
    DateTimeOffset AcquiredAt,
    DateTimeOffset ExpiresAt,
    int Seconds,
    DateTimeOffset ServerNow,
    int Queue
)
{
    /// <summary>Gets the holder's secret. Null for other callers.</summary>
    public string? LeaseId { get; init; }

    /// <summary>Gets the one-based place of the caller in the queue. Null unless the caller waits.</summary>
    public int? Position { get; init; }
}

/// <summary>A page of a list of leases. Immutable.</summary>
/// <param name="Leases">The leases, by resource.</param>
/// <param name="Next">The resource after which the next page starts. Null on the last page.</param>
/// <param name="Position">The journal position up to which the list includes all changes.</param>
/// <param name="ServerNow">The server time of the list.</param>
public sealed record LeaseListPage(IReadOnlyList<LeaseGrant> Leases, string? Next, StreamPosition Position, DateTimeOffset ServerNow);

internal sealed record AcquireBody(string LeaseId, int Seconds, bool Wait);

internal sealed record RenewBody(string LeaseId, long Fence, int? Seconds);

internal sealed record HandOffBody(string LeaseId, long Fence, string? To);

internal sealed record PreemptBody(string LeaseId, string Reason, int GraceSeconds, int Seconds);
