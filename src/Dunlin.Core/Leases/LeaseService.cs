using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>
/// Manages leases on behalf of users: acquire, renew, release, hand off and preempt. Also ends leases on expiry, lost connections and
/// sign-out. Thread-safe.
/// </summary>
/// <remarks>
/// Each operation is one unit of work that changes the row and announces the change. <c>unit.Leases</c> has the same operations for the
/// caller's unit of work. Code that holds leases itself uses <see cref="ILeases"/>. The service does not authorise: the caller must check
/// whether a user may hold or preempt.
/// </remarks>
public sealed partial class LeaseService
{
    // Rows per read scope of a list. A longer scope would prevent SQLite from truncating its write-ahead log.
    private const int RowsPerRead = 1_000;

    private readonly IStore _store;
    private readonly LeaseAnnouncerRule[] _announcers;
    private readonly LeaseInstruments _instruments;
    private readonly ILogger _logger;
    private readonly LeaseExpiries _expiries;
    private readonly Signal<LeaseChange> _changed;

    /// <summary>Creates the service of a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="announcers">The announcers with their prefixes.</param>
    /// <param name="wheel">The timer wheel for expiries.</param>
    /// <param name="options">The limits and defaults.</param>
    /// <param name="instruments">The metrics.</param>
    /// <param name="logger">The logger.</param>
    internal LeaseService(
        IStore store,
        IEnumerable<LeaseAnnouncerRule> announcers,
        TimerWheel wheel,
        IOptions<LeaseOptions> options,
        LeaseInstruments instruments,
        ILogger<LeaseService> logger
    )
    {
        _store = store;
        _announcers = [.. announcers.OrderByDescending(rule => rule.Prefix.Length)];
        _expiries = new LeaseExpiries(wheel);
        Watches = new LeaseWatches(store, wheel, logger);
        _instruments = instruments;
        _logger = logger;
        _changed = new Signal<LeaseChange>("lease changes", logger);
        Options = options.Value;
    }

    /// <summary>Gets the limits and defaults.</summary>
    public LeaseOptions Options { get; }

    /// <summary>Gets the handles of this process.</summary>
    internal LeaseWatches Watches { get; }

    /// <summary>Adds a handler for the lease changes that this node commits, with any announcer. Called after the commit, on the thread of
    /// the writer, so it must be fast and must not block. For display: changes of other nodes are not reported.</summary>
    /// <param name="handler">The handler. Must be thread-safe. An exception is logged.</param>
    /// <returns>A subscription; dispose it to remove the handler.</returns>
    public IDisposable OnChanged(Action<LeaseChange> handler) => _changed.Subscribe(handler);

    /// <summary>Requests a lease. Idempotent by lease id.</summary>
    /// <param name="request">The request.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The outcome: granted, same, queued or held.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the request is not valid.
    /// <see cref="ErrorCode.QueueFull"/>: the queue has its maximum length, in total or for this user.
    /// <see cref="ErrorCode.TooManyRequests"/>: the user holds <see cref="LeaseOptions.MaxPerUser"/> leases.
    /// <see cref="ErrorCode.NotFound"/>: the resource does not exist.
    /// </exception>
    public async ValueTask<LeaseResult> AcquireAsync(
        LeaseRequest request,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(request, Options);
        using var activity = DunlinActivities.Source.StartActivity("dunlin.lease.acquire");
        var result = await _store.WriteAsync((unit, ct) => AcquireInAsync(unit, request, origin, ct), cancellationToken);
        _instruments.Requested(result.Status);
        activity?.SetTag("result", result.Status.ToString());
        return result;
    }

    internal ValueTask<LeaseResult> AcquireInAsync(
        IUnitOfWork unit,
        LeaseRequest request,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        LeaseChecks.Check(request, Options);
        return StepAsync(unit, request.Resource, origin, (step, ct) => step.AcquireAsync(request, Options, ct), cancellationToken);
    }

    /// <summary>Renews a lease: the duration starts again. Never acquires.</summary>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="duration">The new duration; <c>default</c> keeps the current duration.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the claim or duration is not valid.
    /// <see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease; the error has the reason.</exception>
    public ValueTask<LeaseResult> RenewAsync(
        LeaseClaim claim,
        LeaseDuration duration = default,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        CheckRenewal(claim, duration);
        return _store.WriteAsync((unit, ct) => RenewInAsync(unit, claim, duration, origin, ct), cancellationToken);
    }

    internal ValueTask<LeaseResult> RenewInAsync(
        IUnitOfWork unit,
        LeaseClaim claim,
        LeaseDuration duration,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        CheckRenewal(claim, duration);
        return StepAsync(unit, claim.Resource, origin, (step, ct) => step.RenewAsync(claim, duration, Options, ct), cancellationToken);
    }

    /// <summary>Releases a lease. Idempotent: releasing a lost lease, or releasing again, changes nothing.</summary>
    /// <remarks>
    /// A claim with a fencing token releases that grant only; leases of other owners and later grants stay. A claim without one releases
    /// every grant of its lease id and leaves the queue.
    /// </remarks>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>Whether anything was released.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the claim is not valid.</exception>
    public ValueTask<bool> ReleaseAsync(LeaseClaim claim, EventOrigin? origin = null, CancellationToken cancellationToken = default)
    {
        LeaseChecks.Check(claim);
        return _store.WriteAsync((unit, ct) => ReleaseInAsync(unit, claim, origin, ct), cancellationToken);
    }

    internal ValueTask<bool> ReleaseInAsync(IUnitOfWork unit, LeaseClaim claim, EventOrigin? origin, CancellationToken cancellationToken)
    {
        LeaseChecks.Check(claim);
        return StepAsync(unit, claim.Resource, origin, (step, ct) => step.ReleaseAsync(claim, ct), cancellationToken);
    }

    /// <summary>Transfers a lease to the first waiter, or to the first waiter of one user.</summary>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="toUserId">The user of the waiter; null for the first waiter.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The lease of the new holder.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the claim is not valid.
    /// <see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease.
    /// <see cref="ErrorCode.Conflict"/>: there is no waiter, or none of this user.
    /// <see cref="ErrorCode.NotFound"/>: the resource does not exist.
    /// </exception>
    public ValueTask<LeaseResult> HandOffAsync(
        LeaseClaim claim,
        string? toUserId = null,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(claim);
        return _store.WriteAsync((unit, ct) => HandOffInAsync(unit, claim, toUserId, origin, ct), cancellationToken);
    }

    internal ValueTask<LeaseResult> HandOffInAsync(
        IUnitOfWork unit,
        LeaseClaim claim,
        string? toUserId,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        LeaseChecks.Check(claim);
        return StepAsync(unit, claim.Resource, origin, (step, ct) => step.HandOffAsync(claim, toUserId, ct), cancellationToken);
    }

    /// <summary>
    /// Preempts a lease: ends the holder's lease at once or after a grace period in which the holder can save. Logged and announced.
    /// </summary>
    /// <param name="request">The request of the preemptor.</param>
    /// <param name="reason">The reason shown to the holder: 1 to 200 characters.</param>
    /// <param name="grace">The grace period: 0 to <see cref="LeaseOptions.MaxPreemptionGrace"/>. Zero preempts at once.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The outcome: granted, same, or (with a grace period) queued at position 1.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the request, reason or grace period is not valid.
    /// <see cref="ErrorCode.QueueFull"/>: the preemptor must wait for the grace period, and the queue is full.
    /// <see cref="ErrorCode.TooManyRequests"/>: the preemptor holds <see cref="LeaseOptions.MaxPerUser"/> leases.
    /// <see cref="ErrorCode.NotFound"/>: the resource does not exist.
    /// </exception>
    public async ValueTask<LeaseResult> PreemptAsync(
        LeaseRequest request,
        string reason,
        TimeSpan grace,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        CheckPreemption(request, reason, grace);
        var result = await _store.WriteAsync((unit, ct) => PreemptInAsync(unit, request, reason, grace, origin, ct), cancellationToken);
        LogPreempted(_logger, request.Owner.UserId, request.Resource.Value, grace.TotalSeconds);
        return result;
    }

    internal ValueTask<LeaseResult> PreemptInAsync(
        IUnitOfWork unit,
        LeaseRequest request,
        string reason,
        TimeSpan grace,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        CheckPreemption(request, reason, grace);
        return StepAsync(
            unit,
            request.Resource,
            origin,
            (step, ct) => step.PreemptAsync(request, reason, grace, Options, ct),
            cancellationToken
        );
    }

    internal ValueTask<bool> ForceReleaseInAsync(
        IUnitOfWork unit,
        ResourceName resource,
        EventOrigin? origin,
        CancellationToken cancellationToken
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

    internal ValueTask<bool> PreemptForQueueInAsync(
        IUnitOfWork unit,
        ResourceName resource,
        string reason,
        TimeSpan grace,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        LeaseChecks.CheckResource(resource);
        LeaseChecks.CheckPreemption(reason, grace, Options);
        return StepAsync(unit, resource, origin, (step, ct) => step.PreemptForQueueAsync(reason, grace, ct), cancellationToken);
    }

    /// <summary>Returns all matching leases that are held now, as one page. Ignores <see cref="LeaseQuery.Limit"/>.</summary>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public ValueTask<LeasePage> ListAsync(LeaseQuery query, CancellationToken cancellationToken = default) =>
        ListPageAsync(query with { Limit = int.MaxValue }, null, cancellationToken);

    /// <summary>Returns one page of the matching leases that are held now and that <paramref name="mayShow"/> accepts.</summary>
    /// <remarks>The filter is applied before the limit, so that hidden leases do not shorten a page.</remarks>
    /// <param name="query">The query. Its <see cref="LeaseQuery.After"/> is the <see cref="LeasePage.Next"/> of the previous page.</param>
    /// <param name="mayShow">Returns whether a lease may be shown; null shows all. Called outside of any transaction.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="LeaseQuery.Limit"/> is below 1.</exception>
    public async ValueTask<LeasePage> ListPageAsync(
        LeaseQuery query,
        Func<LeaseInfo, CancellationToken, ValueTask<bool>>? mayShow,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        var shown = new List<LeaseInfo>();
        var (after, start) = (query.After, (Position?)null);
        while (true)
        {
            var part = query with { HeldOnly = true, Limit = RowsPerRead, After = after };
            var (rows, position, now) = await _store.ReadAsync(
                async (scope, ct) => (await scope.LeaseTable.ListAsync(part, ct), scope.Position, scope.Now),
                cancellationToken
            );
            // Use the position of the first part: changes between two parts are after it.
            start ??= position;
            foreach (var row in rows)
            {
                after = row.Resource.Value;
                var lease = LeaseInfo.Of(row);
                if (!row.IsHeldAt(now) || (mayShow is not null && !await mayShow(lease, cancellationToken)))
                    continue;
                shown.Add(lease);
                if (shown.Count == query.Limit)
                    return new LeasePage(shown, after, start.Value, now);
            }
            if (rows.Count < RowsPerRead)
                return new LeasePage(shown, null, start.Value, now);
        }
    }

    /// <summary>
    /// Runs one step of the state machine and applies its result: saves the row, announces the changes and schedules the expiry.
    /// </summary>
    private async ValueTask<T> StepAsync<T>(
        IUnitOfWork unit,
        ResourceName resource,
        EventOrigin? origin,
        Func<LeaseStep, CancellationToken, ValueTask<T>> verb,
        CancellationToken cancellationToken
    )
    {
        var row = await unit.LeaseTable.FindAsync(resource, cancellationToken) ?? new LeaseRow(resource);
        var announcer = AnnouncerFor(resource);
        var step = new LeaseStep(unit, row, origin, announcer as ILeaseResources);
        var result = await verb(step, cancellationToken);
        if (step.HasChanged)
        {
            await unit.LeaseTable.SaveAsync(step.Row, cancellationToken);
            Watches.OnChanging(step.Row, unit.Now);
        }
        foreach (var change in step.Changes)
        {
            await announcer.AnnounceAsync(change, unit, cancellationToken);
            if (change.Kind == LeaseChangeKind.Released)
                _instruments.Ended(change.End);
            if (_changed.HasHandlers)
                unit.AfterCommit(() => _changed.Publish(change));
        }
        // Before the commit too, because the reply of the commit may be lost. After it exactly: a rollback must leave the check in place.
        var after = step.Row;
        _expiries.Expect(after, unit.Now, SettleInBackground);
        unit.AfterCommit(() => _expiries.Watch(after, unit.Now, SettleInBackground));
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

    private void CheckRenewal(LeaseClaim claim, LeaseDuration duration)
    {
        LeaseChecks.Check(claim);
        _ = LeaseChecks.SecondsOf(duration, Options);
    }

    private void CheckPreemption(LeaseRequest request, string reason, TimeSpan grace)
    {
        LeaseChecks.Check(request, Options);
        LeaseChecks.CheckPreemption(reason, grace, Options);
    }
}
