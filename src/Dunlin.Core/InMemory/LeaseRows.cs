using System.Collections.Immutable;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.InMemory;

/// <summary>
/// All lease rows and the fencing token counter. Immutable: a reference is a snapshot, and discarding a new value is a rollback.
/// </summary>
internal sealed record LeaseRows(ImmutableSortedDictionary<string, LeaseRow> ByResource, long FencingToken)
{
    public static LeaseRows Empty { get; } = new(ImmutableSortedDictionary.Create<string, LeaseRow>(StringComparer.Ordinal), 0);

    public LeaseRow? Find(ResourceName resource) => ByResource.GetValueOrDefault(resource.Value);

    public LeaseRows With(LeaseRow row) => this with { ByResource = ByResource.SetItem(row.Resource.Value, row) };

    public LeaseRows WithoutEnded(DateTimeOffset before) =>
        this with
        {
            ByResource = ByResource.RemoveRange(
                ByResource.Values.Where(r => r.LeaseId is null && r.Waiters.Count == 0 && r.EndedAt < before).Select(r => r.Resource.Value)
            ),
        };

    public IReadOnlyList<LeaseRow> List(LeaseQuery query) => [.. ByResource.Values.Where(r => Matches(r, query)).Take(query.Limit)];

    public int CountHeld(string userId, DateTimeOffset at, int limit) =>
        ByResource.Values.Where(row => row.IsHeldAt(at) && row.Owner?.UserId == userId).Take(limit).Count();

    private static bool Matches(LeaseRow row, LeaseQuery query) =>
        (query.After is null || string.CompareOrdinal(row.Resource.Value, query.After) > 0)
        && (query.Prefix is null || row.Resource.IsUnder(query.Prefix))
        && (!query.HeldOnly || row.LeaseId is not null)
        && (
            query.SessionId is null || row.Owner?.SessionId == query.SessionId || row.Waiters.Any(w => w.Owner.SessionId == query.SessionId)
        );
}
