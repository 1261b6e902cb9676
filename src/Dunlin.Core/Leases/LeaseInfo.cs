using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>The state of a lease in one transaction or snapshot, without the lease id. Immutable.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="FencingToken">The fencing token of the current lease, or of the last one.</param>
/// <param name="Owner">The holder; null if there is none.</param>
/// <param name="AcquiredAt">The time of the grant (UTC).</param>
/// <param name="ExpiresAt">The expiry unless the lease is renewed (UTC), by the clock of the store.</param>
/// <param name="Duration">The duration from the grant or the last renewal, in whole seconds.</param>
/// <param name="IsEnding">Whether a preemption is pending: the lease can no longer be extended.</param>
/// <param name="Waiting">The number of waiters in the queue.</param>
public sealed record LeaseInfo(
    ResourceName Resource,
    FencingToken FencingToken,
    LeaseOwner? Owner,
    DateTimeOffset AcquiredAt,
    DateTimeOffset ExpiresAt,
    TimeSpan Duration,
    bool IsEnding,
    int Waiting
)
{
    /// <summary>Gets the waiters in the queue, first in, first out.</summary>
    public IReadOnlyList<LeaseOwner> Waiters { get; init; } = [];

    internal static LeaseInfo Of(LeaseRow row) =>
        new(
            row.Resource,
            row.FencingToken,
            row.Owner,
            row.AcquiredAt,
            row.ExpiresAt,
            TimeSpan.FromSeconds(row.Seconds),
            row.Ending,
            row.Waiters.Count
        )
        {
            Waiters = [.. row.Waiters.Select(waiter => waiter.Owner)],
        };
}
