namespace Dunlin.Leases;

/// <content>What a holder does: renew, release, prove.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Counts the duration anew. A lease that is lost stays lost: renewing never acquires.</summary>
    public async ValueTask<LeaseAnswer> RenewAsync(LeaseClaim claim, int? seconds, CancellationToken cancellationToken)
    {
        await RequireAsync(claim, cancellationToken);
        if (!Row.Ending)
        {
            var duration = seconds ?? Row.Seconds;
            Row = Row with { Seconds = duration, ExpiresAt = Now.AddSeconds(duration) };
        }
        return new LeaseAnswer(LeaseResult.Same, Row, Now);
    }

    /// <summary>Gives the lease back, or leaves the queue. Repeating it is no error.</summary>
    /// <returns>Whether anything was given back.</returns>
    public async ValueTask<bool> ReleaseAsync(string leaseId, string userId, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        LeaveQueue(leaseId);
        if (!IsHeldBy(leaseId, userId))
            return HasChanged;
        await EndAsync(LeaseEnd.Released, cancellationToken);
        return true;
    }

    /// <summary>Throws unless this lease id and this fencing token hold the resource now.</summary>
    public async ValueTask RequireAsync(LeaseClaim claim, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        if (!IsHeldBy(claim.LeaseId, claim.UserId))
            throw LeaseErrors.Lost(Row, Row.Resource, ReasonFor(claim.LeaseId));
        if (claim.Fence is { } fence && fence != Row.Fence)
            throw LeaseErrors.Lost(Row, Row.Resource, LeaseEnd.Unknown);
    }
}
