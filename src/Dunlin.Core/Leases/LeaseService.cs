using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>
/// Leases: acquire, renew, release, hand-off, take, and the ends that nobody asks for (expiry, lost connection, sign-out).
/// Each is one unit of work that changes the row and announces the change. Safe for concurrent use. Asking whether a caller
/// <i>may</i> is the business of whoever calls.
/// </summary>
public sealed partial class LeaseService(
    IStore store,
    IEnumerable<LeaseAnnouncerRule> announcers,
    TimerWheel wheel,
    IOptions<LeaseOptions> options,
    LeaseInstruments instruments,
    ILogger<LeaseService> logger
)
{
    private readonly IReadOnlyList<LeaseAnnouncerRule> _announcers = [.. announcers.OrderByDescending(rule => rule.Prefix.Length)];

    // Rows per read scope of a list, which keeps the write-ahead log from being cleared.
    private const int RowsPerRead = 1_000;

    private readonly LeaseExpiries _expiries = new(wheel);

    /// <summary>The bounds in force.</summary>
    public LeaseOptions Options { get; } = options.Value;

    /// <summary>Asks for a lease. Idempotent by lease id.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, <see cref="ErrorCode.QueueFull"/>.</exception>
    public async ValueTask<LeaseAnswer> AcquireAsync(
        LeaseRequest request,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(request, Options);
        using var activity = DunlinActivities.Source.StartActivity("dunlin.lease.acquire");
        var answer = await store.WriteAsync((unit, ct) => AcquireAsync(unit, request, origin, ct), cancellationToken);
        instruments.Requested(answer.Result);
        activity?.SetTag("result", answer.Result.ToString());
        return answer;
    }

    /// <summary>Asks for a lease inside a unit of work of the caller's.</summary>
    /// <exception cref="DunlinException">As without a unit of work.</exception>
    public ValueTask<LeaseAnswer> AcquireAsync(
        IUnitOfWork unit,
        LeaseRequest request,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(request, Options);
        return StepAsync(unit, request.Resource, origin, (step, ct) => step.AcquireAsync(request, Options, ct), cancellationToken);
    }

    /// <summary>Counts the duration anew. Never acquires.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.LeaseLost"/> with the
    /// reason.</exception>
    public ValueTask<LeaseAnswer> RenewAsync(
        LeaseClaim claim,
        int? seconds = null,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(claim);
        LeaseChecks.CheckSeconds(seconds ?? Options.DefaultSeconds, Options);
        return store.WriteAsync(
            (unit, ct) => StepAsync(unit, claim.Resource, origin, (step, c) => step.RenewAsync(claim, seconds, c), ct),
            cancellationToken
        );
    }

    /// <summary>Gives a lease back, or leaves the queue. Repeating it, or releasing what is lost, is no error.</summary>
    /// <returns>Whether anything was given back.</returns>
    public ValueTask<bool> ReleaseAsync(
        ResourceName resource,
        string leaseId,
        string userId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => store.WriteAsync((unit, ct) => ReleaseAsync(unit, resource, leaseId, userId, origin, ct), cancellationToken);

    /// <summary>Gives a lease back inside a unit of work of the caller's, for example together with the save.</summary>
    public ValueTask<bool> ReleaseAsync(
        IUnitOfWork unit,
        ResourceName resource,
        string leaseId,
        string userId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(new LeaseClaim(resource, leaseId, userId));
        return StepAsync(unit, resource, origin, (step, ct) => step.ReleaseAsync(leaseId, userId, ct), cancellationToken);
    }

    /// <summary>Passes a lease to the first waiter, or to the first waiter of one user.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.LeaseLost"/>; <see
    /// cref="ErrorCode.Conflict"/> where nobody (or not this user) waits.</exception>
    public ValueTask<LeaseAnswer> HandOffAsync(
        LeaseClaim claim,
        string? toUserId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(claim);
        return store.WriteAsync(
            (unit, ct) => StepAsync(unit, claim.Resource, origin, (step, c) => step.HandOffAsync(claim, toUserId, c), ct),
            cancellationToken
        );
    }

    /// <summary>
    /// Takes a lease from its holder, at once or after a grace in which the holder may save. Audited in the log and by its event.
    /// </summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.QueueFull"/>: with a grace the taker
    /// waits.</exception>
    public async ValueTask<LeaseAnswer> TakeAsync(
        LeaseRequest request,
        string reason,
        int graceSeconds,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(request, Options);
        LeaseChecks.CheckTake(reason, graceSeconds, Options);
        var answer = await store.WriteAsync(
            (unit, ct) =>
                StepAsync(unit, request.Resource, origin, (step, c) => step.TakeAsync(request, reason, graceSeconds, Options, c), ct),
            cancellationToken
        );
        LogTaken(logger, request.Owner.UserId, request.Resource.Value, graceSeconds);
        return answer;
    }

    /// <summary>Ends the lease whoever holds it, inside a unit of work, and serves the queue. For a resource that is deleted or
    /// renamed see <see cref="EndUnderAsync"/>.</summary>
    public ValueTask<bool> ForceReleaseAsync(
        IUnitOfWork unit,
        ResourceName resource,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.CheckResource(resource);
        return StepAsync(
            unit,
            resource,
            origin,
            async (step, ct) =>
            {
                await step.SettleAsync(ct);
                if (step.Row.LeaseId is null)
                    return false;
                await step.EndAsync(LeaseEnd.Released, ct);
                return true;
            },
            cancellationToken
        );
    }

    /// <summary>All leases held now that match, for a snapshot; <see cref="LeaseQuery.Limit"/> does not count. The position lies before
    /// every change not in it.</summary>
    public async ValueTask<(IReadOnlyList<LeaseRow> Rows, Position Position, DateTimeOffset Now)> ListAsync(
        LeaseQuery query,
        CancellationToken cancellationToken = default
    )
    {
        var page = await ListPageAsync(query with { Limit = int.MaxValue }, null, cancellationToken);
        return (page.Rows, page.Position, page.Now);
    }

    /// <summary>
    /// One page of the leases held now that match and that <paramref name="mayShow"/> lets through: the filter comes before the limit, so
    /// rows of others never leave a page short.
    /// </summary>
    /// <param name="query">Which; its <see cref="LeaseQuery.After"/> is the <see cref="LeasePage.Next"/> of the page before.</param>
    /// <param name="mayShow">Whether a row may be shown; null for all. Called outside of any transaction.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<LeasePage> ListPageAsync(
        LeaseQuery query,
        Func<LeaseRow, CancellationToken, ValueTask<bool>>? mayShow,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        var shown = new List<LeaseRow>();
        var (after, start) = (query.After, (Position?)null);
        while (true)
        {
            var part = query with { HeldOnly = true, Limit = RowsPerRead, After = after };
            var (rows, position, now) = await store.ReadAsync(
                async (scope, ct) => (await scope.Leases.ListAsync(part, ct), scope.Position, scope.Now),
                cancellationToken
            );
            // Of the first part: what changes between two parts comes after it.
            start ??= position;
            foreach (var row in rows)
            {
                after = row.Resource.Value;
                if (!row.IsHeldAt(now) || (mayShow is not null && !await mayShow(row, cancellationToken)))
                    continue;
                shown.Add(row);
                if (shown.Count == query.Limit)
                    return new LeasePage(shown, after, start.Value, now);
            }
            if (rows.Count < RowsPerRead)
                return new LeasePage(shown, null, start.Value, now);
        }
    }

    /// <summary>Runs one step of the state machine and keeps its outcome: row, announcements and the date of the next expiry.</summary>
    private async ValueTask<T> StepAsync<T>(
        IUnitOfWork unit,
        ResourceName resource,
        EventOrigin? origin,
        Func<LeaseStep, CancellationToken, ValueTask<T>> verb,
        CancellationToken cancellationToken
    )
    {
        var row = await unit.Leases.FindAsync(resource, cancellationToken) ?? new LeaseRow(resource);
        var announcer = AnnouncerFor(resource);
        var step = new LeaseStep(unit, row, origin, announcer as ILeaseResources);
        var result = await verb(step, cancellationToken);
        if (step.HasChanged)
            await unit.Leases.SaveAsync(step.Row, cancellationToken);
        foreach (var change in step.Changes)
        {
            await announcer.AnnounceAsync(change, unit, cancellationToken);
            if (change.Kind == LeaseChangeKind.Released)
                instruments.Ended(change.End);
        }
        // Scheduled although the transaction may yet fail: settling a lease that has not expired changes nothing.
        _expiries.Watch(step.Row, unit.Now, SettleInBackground);
        return result;
    }

    private ILeaseAnnouncer AnnouncerFor(ResourceName resource)
    {
        foreach (var rule in _announcers)
        {
            if (resource.IsUnder(rule.Prefix))
                return rule.Announcer;
        }
        return DefaultLeaseAnnouncer.Instance;
    }

    [LoggerMessage(1100, LogLevel.Warning, "User {UserId} took the lease of {Resource} with a grace of {GraceSeconds} s")]
    private static partial void LogTaken(ILogger logger, PeerText userId, PeerText resource, int graceSeconds);
}
