using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Reads and writes lease rows in one unit of work, or reads them in one read scope. Not thread-safe.</summary>
/// <remarks>
/// An implementation must guarantee that no other unit of work changes a row that this one has read before it ends. Rows and fencing tokens
/// are as durable as the transaction.
/// </remarks>
internal interface ILeaseTable
{
    /// <summary>Returns the row of a resource; null if there is none.</summary>
    ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the row of a resource.</summary>
    ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken);

    /// <summary>Returns the next fencing token: larger than all earlier tokens, across all resources and restarts.</summary>
    ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken);

    /// <summary>Returns the rows that match, ordered by resource name.</summary>
    ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken);

    /// <summary>Counts the leases that a user holds at a time. Stops at <paramref name="limit"/>.</summary>
    ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken);

    /// <summary>Removes rows without holder and waiters whose lease ended before <paramref name="before"/>.</summary>
    ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>A query for lease rows. A row must match every part that is not null.</summary>
/// <param name="Prefix">The prefix of the resources, segment by segment.</param>
/// <param name="SessionId">The session that holds the lease or waits for it.</param>
/// <param name="HeldOnly">Whether to omit resources without a holder.</param>
/// <param name="Limit">The maximum number of rows. Default: 1,000.</param>
/// <param name="After">The resource name after which to start (ordinal order), for paging.</param>
public sealed record LeaseQuery(
    string? Prefix = null,
    string? SessionId = null,
    bool HeldOnly = false,
    int Limit = 1_000,
    string? After = null
);
