using System.Runtime.CompilerServices;

namespace Dunlin.Leases;

/// <summary>Reading leases without a bound on their number.</summary>
public static class LeaseTableExtensions
{
    /// <summary>All rows that match, by resource name, read page by page (<see cref="LeaseQuery.Limit"/> rows each). A decision must
    /// rest on this and never on one page, which leaves rows out without saying so. The rows may be changed while they are
    /// read.</summary>
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
