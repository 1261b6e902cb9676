using System.Runtime.CompilerServices;

namespace Dunlin.Leases;

/// <summary>Reading lease rows without a bound on their number.</summary>
internal static class LeaseTableExtensions
{
    /// <summary>Returns all rows that match, by resource name, read page by page (<see cref="LeaseQuery.Limit"/> rows each). Decide by this
    /// and never by one page, which omits rows silently. The rows may be changed while they are read.</summary>
    public static async IAsyncEnumerable<LeaseRow> ListAllAsync(
        this ILeaseTable table,
        LeaseQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        while (true)
        {
            var page = await table.ListAsync(query, cancellationToken);
            foreach (var row in page)
                yield return row;
            if (page.Count < query.Limit)
                yield break;
            query = query with { After = page[^1].Resource.Value };
        }
    }
}
