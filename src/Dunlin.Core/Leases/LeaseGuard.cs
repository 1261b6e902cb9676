using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>
/// Fences a write: called inside the unit of work that writes, so that a holder whose lease has ended in the meantime (it
/// slept, or its network did) can never overwrite (G3). The check and the write are one transaction.
/// </summary>
public static class LeaseGuard
{
    /// <summary>Throws unless the claim holds the resource in this transaction.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/> with the reason and the current holder.</exception>
    public static async ValueTask RequireLeaseAsync(this IUnitOfWork unit, LeaseClaim claim, CancellationToken cancellationToken = default)
    {
        var row = await unit.Leases.FindAsync(claim.Resource, cancellationToken);
        var holds =
            row?.IsHeldAt(unit.Now) == true
            && LeaseStep.IsSame(row.LeaseId!, claim.LeaseId)
            && string.Equals(row.Owner!.UserId, claim.UserId, StringComparison.Ordinal)
            && (claim.Fence is null || claim.Fence == row.Fence);
        // Nothing is settled here: an expiry belongs to a transaction of its own, because this one is about to fail.
        if (!holds)
            throw LeaseErrors.Lost(row?.IsHeldAt(unit.Now) == true ? row : null, claim.Resource, ReasonFor(row, claim));
    }

    /// <summary>Throws if somebody holds the resource who cannot show its lease id.</summary>
    /// <returns>Whether the caller itself holds it.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/> with the holder.</exception>
    public static async ValueTask<bool> RequireNotHeldByAnotherAsync(
        this IUnitOfWork unit,
        ResourceName resource,
        string userId,
        string? leaseId,
        CancellationToken cancellationToken = default
    )
    {
        var row = await unit.Leases.FindAsync(resource, cancellationToken);
        if (row?.IsHeldAt(unit.Now) != true)
            return false;
        var isMine =
            leaseId is not null
            && LeaseStep.IsSame(row.LeaseId!, leaseId)
            && string.Equals(row.Owner!.UserId, userId, StringComparison.Ordinal);
        return isMine ? true : throw LeaseErrors.Held(row);
    }

    /// <summary>Throws if another user holds any resource under a prefix. Reads every row, however many there are.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/> with the first holder by resource name.</exception>
    public static async ValueTask RequireNoneHeldByAnotherAsync(
        this IUnitOfWork unit,
        string prefix,
        string userId,
        CancellationToken cancellationToken = default
    )
    {
        await foreach (var row in unit.Leases.ListAllAsync(new LeaseQuery(prefix, HeldOnly: true), cancellationToken))
        {
            if (row.IsHeldAt(unit.Now) && !string.Equals(row.Owner!.UserId, userId, StringComparison.Ordinal))
                throw LeaseErrors.Held(row);
        }
    }

    private static LeaseEnd ReasonFor(LeaseRow? row, LeaseClaim claim) =>
        row switch
        {
            null => LeaseEnd.Unknown,
            { LeaseId: { } current } when LeaseStep.IsSame(current, claim.LeaseId) => claim.Fence is { } f && f != row.Fence
                ? LeaseEnd.Unknown
            : row.Ending ? LeaseEnd.Taken
            : LeaseEnd.Expired,
            { EndedLeaseId: { } ended } when LeaseStep.IsSame(ended, claim.LeaseId) => row.End,
            _ => LeaseEnd.Unknown,
        };
}
