namespace Dunlin.Leases;

/// <summary>Decides whether a claim holds a lease. The state machine, units of work and handles all use this method.</summary>
internal static class LeaseClaimCheck
{
    /// <summary>Returns null if the claim holds the lease at this time, otherwise the reason why it does not.</summary>
    public static LeaseEnd? LossOf(LeaseRow? row, LeaseClaim claim, DateTimeOffset now)
    {
        if (row is null)
            return LeaseEnd.Unknown;
        if (row.LeaseId is not null && LeaseStep.IsSame(row.LeaseId, claim.LeaseId))
        {
            if (!IsOwner(row, claim) || IsOtherGrant(row, claim))
                return LeaseEnd.Unknown;
            return row.IsHeldAt(now) ? null : row.EndOfTime;
        }
        return row.EndedLeaseId is not null && LeaseStep.IsSame(row.EndedLeaseId, claim.LeaseId) ? row.End : LeaseEnd.Unknown;
    }

    private static bool IsOwner(LeaseRow row, LeaseClaim claim) => string.Equals(row.Owner!.UserId, claim.UserId, StringComparison.Ordinal);

    private static bool IsOtherGrant(LeaseRow row, LeaseClaim claim) => claim.FencingToken is { } token && token != row.FencingToken;
}
