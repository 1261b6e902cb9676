using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>
/// Row access to leases inside one unit of work (or, read-only, one read scope). The implementer's duty: a row that was
/// read in a unit of work cannot be changed by another before this one ends; rows and tokens are as durable as the
/// transaction. Not for concurrent use.
/// </summary>
internal interface ILeaseTable
{
    /// <summary>The row of a resource; null where there is none.</summary>
    ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the row of its resource.</summary>
    ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken);

    /// <summary>The next fencing token: larger than every one handed out before, in all resources, across restarts.</summary>
    ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken);

    /// <summary>The rows that match, by resource name.</summary>
    ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken);

    /// <summary>How many leases a user holds at a time; at most <paramref name="limit"/>, where the counting stops.</summary>
    ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken);

    /// <summary>Removes rows that nobody holds or waits for and whose lease ended before <paramref name="before"/>.</summary>
    ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>Which rows to list; every part that is not null must match.</summary>
/// <param name="Prefix">Resources under this prefix, segment by segment.</param>
/// <param name="SessionId">Held, or waited for, by this session.</param>
/// <param name="HeldOnly">Leave out rows that nobody holds.</param>
/// <param name="Limit">At most so many rows.</param>
/// <param name="After">Rows after this resource name (ordinal order), for paging.</param>
public sealed record LeaseQuery(
    string? Prefix = null,
    string? SessionId = null,
    bool HeldOnly = false,
    int Limit = 1_000,
    string? After = null
);
