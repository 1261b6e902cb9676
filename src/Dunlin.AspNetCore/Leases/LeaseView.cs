using System.Text.Json.Serialization;

namespace Dunlin.Leases;

/// <summary>Represents a lease in JSON. Immutable. Only the holder receives the lease id.</summary>
/// <param name="Resource">The resource name.</param>
/// <param name="LeaseId">The holder's secret. Null, and absent in JSON, for other callers.</param>
/// <param name="FencingToken">The fencing token.</param>
/// <param name="State"><c>held</c>, <c>ending</c> or <c>free</c>.</param>
/// <param name="Owner">The holder. Null for a free lease.</param>
/// <param name="AcquiredAt">The time of the grant.</param>
/// <param name="ExpiresAt">The time at which the lease expires unless its holder renews it.</param>
/// <param name="Seconds">The duration of the lease in seconds.</param>
/// <param name="ServerNow">The server time of the response. Clients compute the remaining time as <c>ExpiresAt - ServerNow</c>, because
/// their own clock may differ.</param>
/// <param name="Queue">The number of waiters.</param>
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
    /// <summary>Gets the one-based queue position of the caller. Null unless the caller waits.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Position { get; init; }

    /// <summary>Returns the view of a result for its caller: with the lease id for the holder, and with the queue position for a
    /// waiter.</summary>
    /// <param name="result">The result of a lease verb.</param>
    public static LeaseView Of(LeaseResult result) =>
        Of(result.Lease, result.Now) with
        {
            LeaseId = result.LeaseId,
            Position = result.Status == LeaseStatus.Queued ? result.QueuePosition : null,
        };

    /// <summary>Returns the public view of a lease, without the lease id.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="now">The server time of the response.</param>
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

/// <summary>A page of a list of leases.</summary>
/// <param name="Leases">The leases, ordered by resource.</param>
/// <param name="Next">The <c>after</c> parameter of the next page. Absent on the last page.</param>
/// <param name="Position">The journal position up to which the list includes all changes.</param>
/// <param name="ServerNow">The server time of the list.</param>
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
