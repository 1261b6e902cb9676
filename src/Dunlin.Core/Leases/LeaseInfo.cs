using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>The state of a lease as of one transaction or snapshot, without its secret. Immutable.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="FencingToken">The token of the current lease, or of the last one.</param>
/// <param name="Owner">The holder; null while nobody holds.</param>
/// <param name="AcquiredAt">When the lease was granted.</param>
/// <param name="ExpiresAt">When the lease ends unless it is renewed, by the store's clock.</param>
/// <param name="Duration">How long the lease lasts from its grant, and from each renewal.</param>
/// <param name="IsEnding">Whether a preemption is pending: the lease can no longer be extended.</param>
/// <param name="Waiting">How many wait in the queue.</param>
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
        );
}
