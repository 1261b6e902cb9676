using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Leases;

/// <content>Ends that no holder asks for. Each is announced like a release.</content>
public sealed partial class LeaseService
{
    // Rows per transaction when many leases end together, so that other writers get their turn.
    private const int RowsPerUnit = 100;

    /// <summary>Watches the leases that the store holds. Call once, after it is open.</summary>
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

    /// <summary>Releases what a session holds and takes it out of every queue: at sign-out, or (with a device or connection) when the
    /// last connection has been gone for the grace.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="reason"><see cref="LeaseEnd.SignedOut"/> or <see cref="LeaseEnd.Disconnected"/>.</param>
    /// <param name="belongs">Which of the session's leases; null for all.</param>
    /// <param name="cancellationToken">Abandons what has not been released yet.</param>
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

    /// <summary>Releases whatever a user holds, in all sessions and without one, and takes the user out of every queue. Reads all
    /// rows of leases, so it is for rare occasions.</summary>
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
            // Found in a snapshot; the step looks again in the transaction.
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

    /// <summary>Ends the lease if it has expired, announces it and serves the queue; changes nothing otherwise.</summary>
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
        _ = Task.Run(async () =>
        {
            try
            {
                await SettleAsync(resource);
            }
#pragma warning disable CA1031 // the store may be away for a moment; whoever asks next settles it too
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogSettleFailed(_logger, error, resource.Value);
                _expiries.Retry(resource, SettleInBackground);
            }
        });

    [LoggerMessage(
        1101,
        LogLevel.Warning,
        "Ending the expired lease of {Resource} failed; retrying in about 2 s. Waiters get the lease late."
    )]
    private static partial void LogSettleFailed(ILogger logger, Exception error, PeerText resource);
}

internal sealed partial class LeaseStep
{
    /// <summary>Takes an owner out of the queue and, where it holds, ends its lease.</summary>
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
