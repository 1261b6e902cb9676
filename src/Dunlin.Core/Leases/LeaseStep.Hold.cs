namespace Dunlin.Leases;

/// <content>The operations of a holder: renew, release, require.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Renews the lease: the duration starts again. Never acquires a lost lease.</summary>
    public async ValueTask<LeaseResult> RenewAsync(
        LeaseClaim claim,
        LeaseDuration duration,
        LeaseOptions options,
        CancellationToken cancellationToken
    )
    {
        await RequireAsync(claim, cancellationToken);
        if (!Row.Ending)
        {
            var seconds = duration.IsDefault ? Row.Seconds : LeaseChecks.SecondsOf(duration, options);
            Row = Row with { Seconds = seconds, ExpiresAt = Now.AddSeconds(seconds) };
        }
        return LeaseResult.Of(LeaseStatus.Same, Row, Now);
    }

    /// <summary>Releases the grant of the claim. A claim without a token also leaves the queue. Idempotent.</summary>
    /// <returns>Whether anything was released.</returns>
    public async ValueTask<bool> ReleaseAsync(LeaseClaim claim, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        if (claim.FencingToken is null)
            LeaveQueue(claim.LeaseId);
        if (!IsHeldBy(claim))
            return HasChanged;
        await EndAsync(LeaseEnd.Released, cancellationToken);
        return true;
    }

    /// <summary>Throws unless the claim holds the resource now.</summary>
    public async ValueTask RequireAsync(LeaseClaim claim, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        if (LeaseClaimCheck.LossOf(Row, claim, Now) is { } reason)
            throw LeaseErrors.Lost(LeaseInfo.Of(Row), Row.Resource, reason);
    }
}
