using System.Text.Json.Serialization;

namespace Dunlin.Leases;

/// <summary>A lease on the wire. Only its holder is shown the lease id.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The holder's secret; absent for others.</param>
/// <param name="FencingToken">The fencing token.</param>
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
    [property: JsonPropertyName("fence")] long FencingToken,
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

    /// <summary>Returns the view of an answer: with the lease id where the caller is the holder, and the place where it waits.</summary>
    public static LeaseView Of(LeaseResult result) =>
        Of(result.Lease, result.Now) with
        {
            LeaseId = result.LeaseId,
            Position = result.Status == LeaseStatus.Queued ? result.QueuePosition : null,
        };

    /// <summary>Returns the view that everybody may see.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="now">The time of the answer.</param>
    public static LeaseView Of(LeaseInfo lease, DateTimeOffset now) =>
        new(
            lease.Resource.Value,
            null,
            lease.FencingToken.Number,
            lease.Owner is null ? "free"
                : lease.IsEnding ? "ending"
                : "held",
            LeaseErrors.HolderOf(lease),
            lease.AcquiredAt,
            lease.ExpiresAt,
            (int)lease.Duration.TotalSeconds,
            now,
            lease.Waiting
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

internal sealed record RenewBody(string LeaseId, [property: JsonPropertyName("fence")] long FencingToken, int? Seconds = null);

internal sealed record HandOffBody(string LeaseId, [property: JsonPropertyName("fence")] long FencingToken, string? To = null);

internal sealed record PreemptBody(string LeaseId, string Reason, int? GraceSeconds = null, int? Seconds = null);
