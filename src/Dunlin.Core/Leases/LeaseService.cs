using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>
/// Leases on behalf of users: acquire, renew, release, hand off, preempt, and the ends that nobody asks for (expiry, lost connection,
/// sign-out). Each is one unit of work that changes the row and announces the change; <c>unit.Leases</c> offers the same inside a unit of
/// the caller's. Code that holds leases itself uses <see cref="ILeases"/>. Safe for concurrent use.
/// </summary>
/// <remarks>The caller decides whether a user <i>may</i> hold or preempt.</remarks>
public sealed partial class LeaseService
{
    // Rows per read scope of a list. A longer scope would keep SQLite from truncating its write-ahead log.
    private const int RowsPerRead = 1_000;

    private readonly IStore _store;
    private readonly LeaseAnnouncerRule[] _announcers;
    private readonly LeaseInstruments _instruments;
    private readonly ILogger _logger;
    private readonly LeaseExpiries _expiries;

    /// <summary>Creates the service of a store.</summary>
    public LeaseService(
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
        Options = options.Value;
    }

    /// <summary>The bounds in force.</summary>
    public LeaseOptions Options { get; }

    /// <summary>The handles of this process.</summary>
    internal LeaseWatches Watches { get; }

    /// <summary>Asks for a lease. Idempotent by lease id.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.QueueFull"/>;
    /// <see cref="ErrorCode.TooManyRequests"/>: the user holds <see cref="LeaseOptions.MaxPerUser"/> leases;
    /// <see cref="ErrorCode.NotFound"/>: there is no such resource.</exception>
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

    /// <summary>Starts the duration anew. Never acquires.</summary>
    /// <param name="claim">The lease.</param>
    /// <param name="duration">The new duration; <c>default</c> for the one that it has.</param>
    /// <param name="origin">Who asks.</param>
    /// <param name="cancellationToken">Stops before the change.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.LeaseLost"/> with the
    /// reason.</exception>
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

    /// <summary>
    /// Releases a lease. A claim with a fencing token releases that grant only: a lease that somebody else, or a later grant, holds stays.
    /// A claim without one releases every grant of its lease id, and leaves the queue. Repeating it, or releasing what is lost, changes
    /// nothing.
    /// </summary>
    /// <returns>Whether anything was released.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>.</exception>
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

    /// <summary>Passes a lease to the first waiter, or to the first waiter of one user.</summary>
    /// <returns>The lease of the new holder.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.LeaseLost"/>; <see
    /// cref="ErrorCode.Conflict"/>: nobody, or not this user, waits.</exception>
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
    /// Takes a lease from its holder, at once or after a grace in which the holder may save. Audited in the log and by its event.
    /// </summary>
    /// <param name="request">The lease that is asked for.</param>
    /// <param name="reason">Shown to the holder; 1 to 200 characters.</param>
    /// <param name="grace">How long the holder may go on; zero takes the lease at once.</param>
    /// <param name="origin">Who asks.</param>
    /// <param name="cancellationToken">Stops before the change.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>; <see cref="ErrorCode.QueueFull"/>: with a grace the
    /// preemptor waits; <see cref="ErrorCode.NotFound"/>: there is no such resource.</exception>
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

    /// <summary>Returns all leases held now that match, as one page; <see cref="LeaseQuery.Limit"/> is ignored.</summary>
    public ValueTask<LeasePage> ListAsync(LeaseQuery query, CancellationToken cancellationToken = default) =>
        ListPageAsync(query with { Limit = int.MaxValue }, null, cancellationToken);

    /// <summary>
    /// Returns one page of the leases held now that match and that <paramref name="mayShow"/> admits. The filter comes before the limit, so
    /// leases of others never leave a page short.
    /// </summary>
    /// <param name="query">Which; its <see cref="LeaseQuery.After"/> is the <see cref="LeasePage.Next"/> of the page before.</param>
    /// <param name="mayShow">Whether a lease may be shown; null for all. Called outside of any transaction.</param>
    /// <param name="cancellationToken">Gives up.</param>
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
            // The position of the first part: changes between two parts come after it.
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

    /// <summary>Runs one step of the state machine and stores its outcome: row, announcements and the time of the next expiry.</summary>
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

    [LoggerMessage(1100, LogLevel.Warning, "User {UserId} took the lease of {Resource} with a grace of {GraceSeconds} s")]
    private static partial void LogPreempted(ILogger logger, PeerText userId, PeerText resource, double graceSeconds);
}
