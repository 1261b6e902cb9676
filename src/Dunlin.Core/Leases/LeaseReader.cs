using System.Runtime.CompilerServices;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Reads leases in a transaction or snapshot. Not thread-safe, and valid inside that transaction or snapshot only.</summary>
public abstract class LeaseReader
{
    private readonly DateTimeOffset _now;

    private protected LeaseReader(ILeaseTable table, DateTimeOffset now)
    {
        Table = table;
        _now = now;
    }

    private protected ILeaseTable Table { get; }

    /// <summary>Returns the lease of a resource; null if it has no holder.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<LeaseInfo?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default) =>
        await Table.FindAsync(resource, cancellationToken) is { } row && row.IsHeldAt(_now) ? LeaseInfo.Of(row) : null;

    /// <summary>
    /// Returns all held leases under a prefix, ordered by resource name, without a limit. Leases may be changed during enumeration.
    /// </summary>
    /// <param name="prefix">The prefix of the resources, segment by segment; null for all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async IAsyncEnumerable<LeaseInfo> ListAsync(
        string? prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await foreach (var row in Table.ListAllAsync(new LeaseQuery(prefix, HeldOnly: true), cancellationToken))
        {
            if (row.IsHeldAt(_now))
                yield return LeaseInfo.Of(row);
        }
    }

    /// <summary>
    /// Throws unless the claim holds its resource. In a unit of work this fences the write: check and write are one transaction, so a
    /// former holder cannot overwrite.
    /// </summary>
    /// <param name="claim">The claim.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease; the error has the reason and
    /// the current holder. <see cref="ErrorCode.InvalidField"/>: the claim is malformed.</exception>
    public async ValueTask RequireAsync(LeaseClaim claim, CancellationToken cancellationToken = default)
    {
        LeaseChecks.Check(claim);
        var row = await Table.FindAsync(claim.Resource, cancellationToken);
        // Do not end an expired lease here: this transaction is about to fail. The expiry has its own transaction.
        if (LeaseClaimCheck.LossOf(row, claim, _now) is { } reason)
            throw LeaseErrors.Lost(row?.IsHeldAt(_now) == true ? LeaseInfo.Of(row) : null, claim.Resource, reason);
    }

    /// <summary>Returns null if the claim holds its resource, otherwise why it does not. Use it where a lost lease is no error.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the claim is malformed.</exception>
    public async ValueTask<LeaseEnd?> FindLossAsync(LeaseClaim claim, CancellationToken cancellationToken = default)
    {
        LeaseChecks.Check(claim);
        return LeaseClaimCheck.LossOf(await Table.FindAsync(claim.Resource, cancellationToken), claim, _now);
    }

    /// <summary>Throws unless the handle holds its resource; see <see cref="RequireAsync(LeaseClaim, CancellationToken)"/>.</summary>
    /// <param name="lease">The handle.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the handle does not hold the lease; the error has the reason
    /// and the current holder.</exception>
    public ValueTask RequireAsync(Lease lease, CancellationToken cancellationToken = default) =>
        RequireAsync(lease.Claim, cancellationToken);

    /// <summary>Returns whether a resource is held under none of these lease ids.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="userId">The requesting user.</param>
    /// <param name="leaseIds">The lease ids that the user presents.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<bool> IsHeldByAnotherAsync(
        ResourceName resource,
        string userId,
        IReadOnlyCollection<string> leaseIds,
        CancellationToken cancellationToken = default
    ) => await FindOtherAsync(resource, userId, leaseIds, cancellationToken) is { IsOther: true };

    /// <summary>Throws if a resource is held under another lease id.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="userId">The requesting user.</param>
    /// <param name="leaseId">The lease id that the user presents; null if there is none.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>Whether the user holds the resource under this lease id. False if it has no holder.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/>: another owner holds the resource; the error has the
    /// holder.</exception>
    public async ValueTask<bool> RequireNotHeldByAnotherAsync(
        ResourceName resource,
        string userId,
        string? leaseId,
        CancellationToken cancellationToken = default
    )
    {
        var (row, isOther) = await FindOtherAsync(resource, userId, leaseId is null ? [] : [leaseId], cancellationToken);
        return isOther ? throw LeaseErrors.Held(LeaseInfo.Of(row!)) : row is not null;
    }

    /// <summary>Throws if another user holds any resource under a prefix. Reads all leases under it.</summary>
    /// <param name="prefix">The prefix of the resources, segment by segment.</param>
    /// <param name="userId">The requesting user.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/>: another user holds one of the resources; the error has the
    /// first holder by resource name.</exception>
    public async ValueTask RequireNoneHeldByAnotherAsync(string prefix, string userId, CancellationToken cancellationToken = default)
    {
        await foreach (var lease in ListAsync(prefix, cancellationToken))
        {
            if (!string.Equals(lease.Owner!.UserId, userId, StringComparison.Ordinal))
                throw LeaseErrors.Held(lease);
        }
    }

    private async ValueTask<(LeaseRow? Held, bool IsOther)> FindOtherAsync(
        ResourceName resource,
        string userId,
        IReadOnlyCollection<string> leaseIds,
        CancellationToken cancellationToken
    )
    {
        var row = await Table.FindAsync(resource, cancellationToken);
        if (row?.IsHeldAt(_now) != true)
            return (null, false);
        return (row, leaseIds.All(id => LeaseClaimCheck.LossOf(row, new LeaseClaim(resource, id, userId), _now) is not null));
    }
}

/// <summary>The leases of a read scope.</summary>
internal sealed class SnapshotLeases(ILeaseTable table, DateTimeOffset now) : LeaseReader(table, now);
