using System.Runtime.CompilerServices;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Reads leases inside a transaction or snapshot. Valid as long as that, and not for concurrent use.</summary>
public abstract class LeaseReader
{
    private readonly DateTimeOffset _now;

    private protected LeaseReader(ILeaseTable table, DateTimeOffset now)
    {
        Table = table;
        _now = now;
    }

    private protected ILeaseTable Table { get; }

    /// <summary>Returns the lease of a resource; null where nobody holds it.</summary>
    public async ValueTask<LeaseInfo?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default) =>
        await Table.FindAsync(resource, cancellationToken) is { } row && row.IsHeldAt(_now) ? LeaseInfo.Of(row) : null;

    /// <summary>Returns every lease that is held under a prefix, by resource name, however many there are. Leases may be changed while the
    /// sequence is read.</summary>
    /// <param name="prefix">The resource, or the segments above it; null for all.</param>
    /// <param name="cancellationToken">Stops reading.</param>
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

    /// <summary>Throws unless the claim holds its resource. In a unit of work this fences the write (G3): a holder whose lease has ended
    /// in the meantime cannot overwrite, because check and write are one transaction.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/> with the reason and the current holder;
    /// <see cref="ErrorCode.InvalidField"/>: the claim is malformed.</exception>
    public async ValueTask RequireAsync(LeaseClaim claim, CancellationToken cancellationToken = default)
    {
        LeaseChecks.Check(claim);
        var row = await Table.FindAsync(claim.Resource, cancellationToken);
        // Nothing is settled here: an expiry belongs to a transaction of its own, because this one is about to fail.
        if (LeaseClaimCheck.LossOf(row, claim, _now) is { } reason)
            throw LeaseErrors.Lost(row?.IsHeldAt(_now) == true ? LeaseInfo.Of(row) : null, claim.Resource, reason);
    }

    /// <summary>Throws unless the handle holds its resource; see <see cref="RequireAsync(LeaseClaim, CancellationToken)"/>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/> with the reason and the current holder.</exception>
    public ValueTask RequireAsync(Lease lease, CancellationToken cancellationToken = default) =>
        RequireAsync(lease.Claim, cancellationToken);

    /// <summary>Returns whether a resource is held by somebody who cannot show one of these lease ids.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="userId">The user who asks.</param>
    /// <param name="leaseIds">The lease ids that the user shows.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public async ValueTask<bool> IsHeldByAnotherAsync(
        ResourceName resource,
        string userId,
        IReadOnlyCollection<string> leaseIds,
        CancellationToken cancellationToken = default
    ) => await FindOtherAsync(resource, userId, leaseIds, cancellationToken) is { IsOther: true };

    /// <summary>Throws if a resource is held by somebody who cannot show its lease id.</summary>
    /// <returns>Whether the user who asks holds it.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/> with the holder.</exception>
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

    /// <summary>Throws if another user holds any resource under a prefix. Reads every lease there.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/> with the first holder by resource name.</exception>
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
