using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <content>Ends of leases without a request of the holder. Each is announced like a release.</content>
public sealed partial class LeaseService
{
    // Rows per transaction when many leases end at once, so that other writers are not blocked for long.
    private const int RowsPerUnit = 100;

    /// <summary>Schedules the expiry of all leases in the store. Call once, after the store is open.</summary>
    internal async Task BeginAsync(CancellationToken cancellationToken)
    {
        string? after = null;
        while (true)
        {
            var (rows, now) = await _store.ReadAsync(
                async (scope, ct) => (await scope.LeaseTable.ListAsync(new LeaseQuery(HeldOnly: true, After: after), ct), scope.Now),
                cancellationToken
            );
            if (rows.Count == 0)
                return;
            foreach (var row in rows)
                _expiries.Watch(row, now, SettleInBackground);
            after = rows[^1].Resource.Value;
        }
    }

    /// <summary>
    /// Releases the leases of a session and removes it from all queues: at the end of the session, or after its last connection was lost
    /// for the grace period.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="reason"><see cref="LeaseEnd.SignedOut"/> or <see cref="LeaseEnd.Disconnected"/>.</param>
    /// <param name="belongs">Selects among the session's leases; null selects all.</param>
    /// <param name="cancellationToken">Stops between two transactions. Leases released so far stay released.</param>
    public async Task EndSessionAsync(
        string sessionId,
        LeaseEnd reason,
        Func<LeaseOwner, bool>? belongs = null,
        CancellationToken cancellationToken = default
    )
    {
        bool Concerns(LeaseOwner owner) =>
            string.Equals(owner.SessionId, sessionId, StringComparison.Ordinal) && (belongs is null || belongs(owner));

        string? after = null;
        while (true)
        {
            var page = await _store.WriteAsync(
                async (unit, ct) =>
                {
                    var rows = await unit.LeaseTable.ListAsync(new LeaseQuery(SessionId: sessionId, Limit: RowsPerUnit, After: after), ct);
                    foreach (var row in rows)
                        await StepAsync(unit, row.Resource, null, (step, c) => step.RemoveOwnerAsync(Concerns, reason, c), ct);
                    return rows;
                },
                cancellationToken
            );
            if (page.Count < RowsPerUnit)
                return;
            after = page[^1].Resource.Value;
        }
    }

    /// <summary>
    /// Releases all leases of a user and removes the user from all queues. Reads all lease rows, so do not call it frequently.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="reason">The reason to announce.</param>
    /// <param name="cancellationToken">Stops between two transactions. Leases released so far stay released.</param>
    public async Task EndUserAsync(string userId, LeaseEnd reason, CancellationToken cancellationToken = default)
    {
        bool Concerns(LeaseOwner owner) => string.Equals(owner.UserId, userId, StringComparison.Ordinal);

        string? after = null;
        while (true)
        {
            var page = await _store.ReadAsync(
                (scope, ct) => scope.LeaseTable.ListAsync(new LeaseQuery(After: after), ct),
                cancellationToken
            );
            // Selected from a snapshot; the step decides again in the transaction.
            var rows = page.Where(row => (row.Owner is { } owner && Concerns(owner)) || row.Waiters.Any(waiter => Concerns(waiter.Owner)));
            foreach (var chunk in rows.Chunk(RowsPerUnit))
            {
                await _store.WriteAsync(
                    async (unit, ct) =>
                    {
                        foreach (var row in chunk)
                            await StepAsync(unit, row.Resource, null, (step, c) => step.RemoveOwnerAsync(Concerns, reason, c), ct);
                        return true;
                    },
                    cancellationToken
                );
            }
            if (page.Count == 0)
                return;
            after = page[^1].Resource.Value;
        }
    }

    internal async ValueTask EndUnderInAsync(IUnitOfWork unit, string prefix, EventOrigin? origin, CancellationToken cancellationToken)
    {
        await foreach (
            var row in unit.LeaseTable.ListAllAsync(new LeaseQuery(prefix, HeldOnly: true, Limit: RowsPerUnit), cancellationToken)
        )
        {
            await StepAsync(
                unit,
                row.Resource,
                origin,
                async (step, ct) =>
                {
                    await step.ClearAsync(ct);
                    return true;
                },
                cancellationToken
            );
        }
    }

    /// <summary>Ends the lease if it has expired, announces that, and grants it to the first waiter. Otherwise changes nothing.</summary>
    internal async ValueTask SettleAsync(ResourceName resource, CancellationToken cancellationToken = default) =>
        await _store.WriteAsync(
            (unit, ct) =>
                StepAsync(
                    unit,
                    resource,
                    null,
                    async (step, c) =>
                    {
                        await step.SettleAsync(c);
                        return true;
                    },
                    ct
                ),
            cancellationToken
        );

    private void SettleInBackground(ResourceName resource) =>
        _ = Background.Run(async () =>
        {
            try
            {
                await SettleAsync(resource);
            }
#pragma warning disable CA1031 // the store may be temporarily unavailable; the next request settles the lease too
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogSettleFailed(_logger, error, resource.Value);
                _expiries.Retry(resource, SettleInBackground);
            }
        });
}

internal sealed partial class LeaseStep
{
    /// <summary>Removes an owner from the queue, and ends the lease if the owner holds it.</summary>
    public async ValueTask<bool> RemoveOwnerAsync(Func<LeaseOwner, bool> concerns, LeaseEnd reason, CancellationToken cancellationToken)
    {
        if (Row.Waiters.Any(w => concerns(w.Owner)))
            Row = Row with { Waiters = [.. Row.Waiters.Where(w => !concerns(w.Owner))] };
        await SettleAsync(cancellationToken);
        if (Row.LeaseId is null || !concerns(Row.Owner!))
            return false;
        await EndAsync(reason, cancellationToken);
        return true;
    }
}
