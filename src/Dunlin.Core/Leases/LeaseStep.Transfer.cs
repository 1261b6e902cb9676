using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <content>The transfers: hand-off by the holder, preemption by an authorised user.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Transfers the lease to the first waiter, or to the first waiter of a user.</summary>
    public async ValueTask<LeaseResult> HandOffAsync(LeaseClaim claim, string? toUserId, CancellationToken cancellationToken)
    {
        await RequireExistsAsync(cancellationToken);
        await RequireAsync(claim, cancellationToken);
        var next = toUserId is null
            ? Row.Waiters.FirstOrDefault()
            : Row.Waiters.FirstOrDefault(w => string.Equals(w.Owner.UserId, toUserId, StringComparison.Ordinal));
        if (next is null)
            throw new DunlinException(
                ErrorCode.Conflict,
                toUserId is null
                    ? $"Nobody waits for the lease of '{Row.Resource}'."
                    : $"User '{toUserId}' does not wait for the lease of '{Row.Resource}'.",
                "to"
            );
        EndNow(LeaseEnd.HandedOff, origin);
        await GrantAsync(next.LeaseId, next.Owner, next.Seconds, cancellationToken);
        return LeaseResult.Of(LeaseStatus.Held, Row, Now);
    }

    /// <summary>Preempts the lease. Without a grace period, the holder's fencing token is stale at once.</summary>
    /// <remarks>
    /// With a grace period, the holder keeps the lease until the deadline, which is never after its expiry. The preemptor becomes the first
    /// waiter.
    /// </remarks>
    public async ValueTask<LeaseResult> PreemptAsync(
        LeaseRequest request,
        string reason,
        TimeSpan grace,
        LeaseOptions options,
        CancellationToken cancellationToken
    )
    {
        await RequireExistsAsync(cancellationToken);
        await SettleAsync(cancellationToken);
        if (IsHeldBy(request))
            return LeaseResult.Of(LeaseStatus.Same, Row, Now);
        var seconds = LeaseChecks.SecondsOf(request.Duration, options);
        if (Row.LeaseId is null || grace == TimeSpan.Zero)
        {
            await RequireRoomAsync(request.Owner.UserId, options, cancellationToken);
            if (Row.LeaseId is not null)
                EndNow(LeaseEnd.Preempted, origin, reason);
            await GrantAsync(request.LeaseId, request.Owner, seconds, cancellationToken);
            return LeaseResult.Of(LeaseStatus.Granted, Row, Now);
        }
        LeaveQueue(request.LeaseId);
        RequirePlace(request.Owner.UserId, options);
        var deadline = Now + grace;
        var preemptor = new Waiter(request.LeaseId, request.Owner, seconds, Now, deadline.AddSeconds(seconds));
        Row = Row with { Waiters = [preemptor, .. Row.Waiters] };
        BeginEnding(deadline, reason);
        return LeaseResult.Of(LeaseStatus.Queued, Row, Now, 1);
    }

    /// <summary>Preempts the lease for the queue, or to free the resource: nobody is granted it out of turn.</summary>
    /// <returns>Whether anybody held it.</returns>
    public async ValueTask<bool> PreemptForQueueAsync(string reason, TimeSpan grace, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        if (Row.LeaseId is null)
            return false;
        if (grace > TimeSpan.Zero)
        {
            BeginEnding(Now + grace, reason);
            return true;
        }
        EndNow(LeaseEnd.Preempted, origin, reason);
        await ServeQueueAsync(cancellationToken);
        return true;
    }

    // The deadline is never after the expiry of the lease.
    private void BeginEnding(DateTimeOffset deadline, string reason)
    {
        Row = Row with { Ending = true, ExpiresAt = deadline < Row.ExpiresAt ? deadline : Row.ExpiresAt };
        Changes.Add(
            new LeaseChange(
                LeaseChangeKind.Ending,
                Row.Resource,
                Row.FencingToken,
                Row.Owner!,
                Row.ExpiresAt,
                LeaseEnd.Preempted,
                origin,
                reason
            )
        );
    }
}
