using System.Runtime.CompilerServices;

namespace Dunlin.Leases;

/// <summary>Reads all matching lease rows, page by page.</summary>
internal static class LeaseTableExtensions
{
    /// <summary>
    /// Returns all matching rows, ordered by resource name. Reads <see cref="LeaseQuery.Limit"/> rows per page. Rows may be changed during
    /// enumeration.
    /// </summary>
    /// <remarks>Use this for decisions: a single page omits rows without notice.</remarks>
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
