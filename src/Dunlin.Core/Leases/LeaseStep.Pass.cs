using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <content>Passing a lease on: hand-off by the holder, take by somebody with the right to.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Gives the lease to the first waiter, or to the first waiter of the user named.</summary>
    public async ValueTask<LeaseAnswer> HandOffAsync(LeaseClaim claim, string? toUserId, CancellationToken cancellationToken)
    {
        await RequireExistsAsync(cancellationToken);
        await RequireAsync(claim, cancellationToken);
        var next = toUserId is null
            ? Row.Waiters.FirstOrDefault()
            : Row.Waiters.FirstOrDefault(w => string.Equals(w.Owner.UserId, toUserId, StringComparison.Ordinal));
        if (next is null)
            throw new DunlinException(
                ErrorCode.Conflict,
                toUserId is null ? "Nobody is waiting for this lease." : $"'{toUserId}' is not waiting for this lease.",
                "to"
            );
        EndNow(LeaseEnd.HandedOff, origin);
        await GrantAsync(next.LeaseId, next.Owner, next.Seconds, cancellationToken);
        return new LeaseAnswer(LeaseResult.Held, Row, Now);
    }

    /// <summary>
    /// Takes the lease for somebody else. With a grace the holder keeps it (and may save) until the deadline, which is never
    /// later than its expiry; the taker stands first in the queue. Without, the holder's fencing token is stale at once.
    /// </summary>
    public async ValueTask<LeaseAnswer> TakeAsync(
        LeaseRequest request,
        string reason,
        int graceSeconds,
        LeaseOptions options,
        CancellationToken cancellationToken
    )
    {
        await RequireExistsAsync(cancellationToken);
        await SettleAsync(cancellationToken);
        if (IsHeldBy(request.LeaseId, request.Owner.UserId))
            return new LeaseAnswer(LeaseResult.Same, Row, Now);
        if (Row.LeaseId is null || graceSeconds == 0)
        {
            await RequireRoomAsync(request.Owner.UserId, options, cancellationToken);
            if (Row.LeaseId is not null)
                EndNow(LeaseEnd.Taken, origin);
            await GrantAsync(request.LeaseId, request.Owner, request.Seconds, cancellationToken);
            return new LeaseAnswer(LeaseResult.Granted, Row, Now);
        }
        LeaveQueue(request.LeaseId);
        RequirePlace(request.Owner.UserId, options);
        var deadline = Now.AddSeconds(graceSeconds);
        var taker = new Waiter(request.LeaseId, request.Owner, request.Seconds, Now, deadline.AddSeconds(request.Seconds));
        Row = Row with
        {
            Ending = true,
            ExpiresAt = deadline < Row.ExpiresAt ? deadline : Row.ExpiresAt,
            Waiters = [taker, .. Row.Waiters],
        };
        Changes.Add(
            new LeaseChange(LeaseChangeKind.Ending, Row.Resource, Row.Fence, Row.Owner!, Row.ExpiresAt, LeaseEnd.Taken, origin, reason)
        );
        return new LeaseAnswer(LeaseResult.Queued, Row, Now, 1);
    }
}
