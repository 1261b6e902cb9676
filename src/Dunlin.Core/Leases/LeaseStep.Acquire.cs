using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <content>Acquires and queues.</content>
internal sealed partial class LeaseStep
{
    /// <summary>Grants the lease if it is free, returns the existing grant for the same lease id, or joins the queue on request.</summary>
    public async ValueTask<LeaseResult> AcquireAsync(LeaseRequest request, LeaseOptions options, CancellationToken cancellationToken)
    {
        await RequireExistsAsync(cancellationToken);
        await SettleAsync(cancellationToken);
        if (IsHeldBy(request))
        {
            Rebind(request.Owner);
            return LeaseResult.Of(LeaseStatus.Same, Row, Now);
        }
        if (Row.LeaseId is null)
        {
            await RequireRoomAsync(request.Owner.UserId, options, cancellationToken);
            await GrantAsync(request.LeaseId, request.Owner, LeaseChecks.SecondsOf(request.Duration, options), cancellationToken);
            return LeaseResult.Of(LeaseStatus.Granted, Row, Now);
        }
        if (!request.Wait)
        {
            LeaveQueue(request.LeaseId);
            return LeaseResult.Of(LeaseStatus.Held, Row, Now);
        }
        // The result has the state before this request joined the queue.
        var before = Row;
        return LeaseResult.Of(LeaseStatus.Queued, before, Now, JoinQueue(request, options));
    }

    /// <summary>
    /// Updates the connection of the holder, whose page may have reconnected. The disconnect grace period then follows the new connection.
    /// </summary>
    private void Rebind(LeaseOwner owner)
    {
        if (owner.ConnectionId is not null && owner != Row.Owner)
            Row = Row with
            {
                Owner = Row.Owner! with { ConnectionId = owner.ConnectionId, DeviceId = owner.DeviceId ?? Row.Owner!.DeviceId },
            };
    }

    private int JoinQueue(LeaseRequest request, LeaseOptions options)
    {
        var until = Now + options.WaitTimeout;
        for (var i = 0; i < Row.Waiters.Count; i++)
        {
            if (!IsSame(Row.Waiters[i].LeaseId, request.LeaseId))
                continue;
            var waiters = Row.Waiters.ToArray();
            waiters[i] = waiters[i] with { Until = until, Owner = request.Owner };
            Row = Row with { Waiters = waiters };
            return i + 1;
        }
        RequirePlace(request.Owner.UserId, options);
        Row = Row with
        {
            Waiters =
            [
                .. Row.Waiters,
                new Waiter(request.LeaseId, request.Owner, LeaseChecks.SecondsOf(request.Duration, options), Now, until),
            ],
        };
        Changes.Add(
            new LeaseChange(LeaseChangeKind.Queued, Row.Resource, Row.FencingToken, request.Owner, Row.ExpiresAt, LeaseEnd.Unknown, origin)
        );
        return Row.Waiters.Count;
    }

    // Only direct grants are refused. Grants to waiters are bounded by the number of waiters per user.
    private async ValueTask RequireRoomAsync(string userId, LeaseOptions options, CancellationToken cancellationToken)
    {
        if (await unit.LeaseTable.CountHeldAsync(userId, Now, options.MaxPerUser, cancellationToken) < options.MaxPerUser)
            return;
        throw new DunlinException(ErrorCode.TooManyRequests, $"The limit for one user is {options.MaxPerUser} leases. Release one first.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = options.MaxPerUser },
        };
    }

    private void RequirePlace(string userId, LeaseOptions options)
    {
        if (Row.Waiters.Count >= options.MaxWaiters)
            throw QueueFull(
                $"{Row.Waiters.Count} requests wait for the lease of '{Row.Resource}', which is the limit.",
                options.MaxWaiters
            );
        if (Row.Waiters.Count(w => string.Equals(w.Owner.UserId, userId, StringComparison.Ordinal)) >= options.MaxWaitersPerUser)
            throw QueueFull(
                $"You wait {options.MaxWaitersPerUser} times for the lease of '{Row.Resource}', which is the limit.",
                options.MaxWaitersPerUser
            );
    }

    private DunlinException QueueFull(string detail, int limit) =>
        new(ErrorCode.QueueFull, detail)
        {
            RetryAfter = Row.ExpiresAt - Now,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };

    private void LeaveQueue(string leaseId)
    {
        if (Row.Waiters.Any(w => IsSame(w.LeaseId, leaseId)))
            Row = Row with { Waiters = [.. Row.Waiters.Where(w => !IsSame(w.LeaseId, leaseId))] };
    }
}
