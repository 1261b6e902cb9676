using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <content>Acquire and wait.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Compare and set: grants where free, answers the same grant to the same lease id, queues where asked to.</summary>
    public async ValueTask<LeaseAnswer> AcquireAsync(LeaseRequest request, LeaseOptions options, CancellationToken cancellationToken)
    {
        await RequireExistsAsync(cancellationToken);
        await SettleAsync(cancellationToken);
        if (IsHeldBy(request.LeaseId, request.Owner.UserId))
        {
            Rebind(request.Owner);
            return new LeaseAnswer(LeaseResult.Same, Row, Now);
        }
        if (Row.LeaseId is null)
        {
            await GrantAsync(request.LeaseId, request.Owner, request.Seconds, cancellationToken);
            return new LeaseAnswer(LeaseResult.Granted, Row, Now);
        }
        if (!request.Wait)
        {
            LeaveQueue(request.LeaseId);
            return new LeaseAnswer(LeaseResult.Held, Row, Now);
        }
        return new LeaseAnswer(LeaseResult.Queued, Row, Now, JoinQueue(request, options));
    }

    /// <summary>The page of the holder may have another connection since: the grace watches the new one.</summary>
    private void Rebind(LeaseOwner owner)
    {
        if (owner.ConnectionId is not null && owner != Row.Owner)
            Row = Row with { Owner = Row.Owner! with { ConnectionId = owner.ConnectionId, DeviceId = owner.DeviceId ?? Row.Owner!.DeviceId } };
    }

    private int JoinQueue(LeaseRequest request, LeaseOptions options)
    {
        var until = Now.AddSeconds(options.WaitSeconds);
        for (var i = 0; i < Row.Waiters.Count; i++)
        {
            if (!IsSame(Row.Waiters[i].LeaseId, request.LeaseId))
                continue;
            var waiters = Row.Waiters.ToArray();
            waiters[i] = waiters[i] with { Until = until, Owner = request.Owner };
            Row = Row with { Waiters = waiters };
            return i + 1;
        }
        if (Row.Waiters.Count >= options.MaxWaiters)
            throw new DunlinException(ErrorCode.QueueFull, $"{Row.Waiters.Count} are waiting for '{Row.Resource}' already.") { RetryAfter = Row.ExpiresAt - Now };
        Row = Row with { Waiters = [.. Row.Waiters, new Waiter(request.LeaseId, request.Owner, request.Seconds, Now, until)] };
        Changes.Add(new LeaseChange(LeaseChangeKind.Queued, Row.Resource, Row.Fence, request.Owner, Row.ExpiresAt, LeaseEnd.Unknown, origin));
        return Row.Waiters.Count;
    }

    private void LeaveQueue(string leaseId)
    {
        if (Row.Waiters.Any(w => IsSame(w.LeaseId, leaseId)))
            Row = Row with { Waiters = [.. Row.Waiters.Where(w => !IsSame(w.LeaseId, leaseId))] };
    }
}
