using System.Text.Json.Serialization;

namespace Dunlin.Leases;

/// <summary>A lease on the wire. Only its holder is shown the lease id.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The holder's secret; absent for others.</param>
/// <param name="Fence">The fencing token.</param>
/// <param name="State"><c>held | ending | free</c>.</param>
/// <param name="Owner">The holder.</param>
/// <param name="AcquiredAt">When it was granted.</param>
/// <param name="ExpiresAt">When it ends unless renewed.</param>
/// <param name="Seconds">Its duration.</param>
/// <param name="ServerNow">The time of the answer: subtract, do not compare with the browser's clock.</param>
/// <param name="Queue">How many wait.</param>
public sealed record LeaseView(
    string Resource,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LeaseId,
    long Fence,
    string State,
    PublicOwner? Owner,
    DateTimeOffset AcquiredAt,
    DateTimeOffset ExpiresAt,
    int Seconds,
    DateTimeOffset ServerNow,
    int Queue
)
{
    /// <summary>One-based place in the queue, for one who waits.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Position { get; init; }

    /// <summary>The view of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="now">The time of the answer.</param>
    /// <param name="secret">Whether the one who asks is the holder.</param>
    public static LeaseView Of(LeaseRow row, DateTimeOffset now, bool secret) =>
        new(
            row.Resource.Value,
            secret ? row.LeaseId : null,
            row.Fence,
            row.LeaseId is null ? "free"
                : row.Ending ? "ending"
                : "held",
            row.Owner is null ? null : PublicOwner.Of(row.Owner),
            row.AcquiredAt,
            row.ExpiresAt,
            row.Seconds,
            now,
            row.Waiters.Count
        );
}

/// <summary>A page of a list.</summary>
/// <param name="Leases">By resource.</param>
/// <param name="Next">The <c>after</c> of the next page; absent where this is the last one.</param>
/// <param name="Position">The list holds every change up to here.</param>
/// <param name="ServerNow">The time of the list.</param>
internal sealed record LeaseList(
    IReadOnlyList<LeaseView> Leases,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next,
    string Position,
    DateTimeOffset ServerNow
);

internal sealed record AcquireBody(string LeaseId, int? Seconds = null, bool? Wait = null);

internal sealed record RenewBody(string LeaseId, long Fence, int? Seconds = null);

internal sealed record HandOffBody(string LeaseId, long Fence, string? To = null);

internal sealed record TakeBody(string LeaseId, string Reason, int? GraceSeconds = null, int? Seconds = null);
