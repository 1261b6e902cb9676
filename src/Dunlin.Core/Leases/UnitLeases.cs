using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>
/// Manages leases in a unit of work. All changes take effect with its commit and roll back with it. Not thread-safe, and valid inside the
/// unit of work only.
/// </summary>
/// <remarks>Validates requests like <see cref="LeaseService"/>.</remarks>
public sealed class UnitLeases : LeaseReader
{
    private readonly IUnitOfWork _unit;
    private readonly LeaseService? _service;

    internal UnitLeases(IUnitOfWork unit, ILeaseScope scope)
        : base(scope.LeaseTable, unit.Now)
    {
        _unit = unit;
        _service = scope.LeaseService;
    }

    private LeaseService Service =>
        _service
        ?? throw new InvalidOperationException(
            "The store of this unit of work has no lease service. Register the engine with AddDunlin(), and do not wrap its IStore."
        );

    /// <summary>Acquires a lease, or returns null if another owner holds it. Does not wait and does not queue.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">The duration of the lease; <c>default</c> uses <see cref="LeaseOptions.DefaultDuration"/>.</param>
    /// <param name="settings">The owner, lease id and origin; null uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The grant; null if another owner holds the lease. After the commit, pass its claim to <see cref="ILeases.AttachAsync"/> for
    /// a handle.</returns>
    /// <exception cref="DunlinException">As for <see cref="AcquireAsync"/>.</exception>
    public async ValueTask<LeaseResult?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        settings ??= LeaseSettings.Default;
        var result = await AcquireAsync(settings.RequestFor(resource, duration, wait: false), settings.Origin, cancellationToken);
        return result.IsHolder ? result : null;
    }

    /// <summary>Requests a lease on behalf of a user. Idempotent by lease id.</summary>
    /// <param name="request">The request.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <exception cref="DunlinException">As for <see cref="LeaseService.AcquireAsync"/>.</exception>
    public ValueTask<LeaseResult> AcquireAsync(
        LeaseRequest request,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.AcquireInAsync(_unit, request, origin, cancellationToken);

    /// <summary>Renews a lease: the duration starts again. Never acquires.</summary>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="duration">The new duration; <c>default</c> keeps the current duration.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <exception cref="DunlinException">As for <see cref="LeaseService.RenewAsync"/>.</exception>
    public ValueTask<LeaseResult> RenewAsync(
        LeaseClaim claim,
        LeaseDuration duration = default,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.RenewInAsync(_unit, claim, duration, origin, cancellationToken);

    /// <summary>Releases a lease, or leaves the queue. See <see cref="LeaseService.ReleaseAsync"/>.</summary>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>Whether anything was released.</returns>
    public ValueTask<bool> ReleaseAsync(LeaseClaim claim, EventOrigin? origin = null, CancellationToken cancellationToken = default) =>
        Service.ReleaseInAsync(_unit, claim, origin, cancellationToken);

    /// <summary>Transfers a lease to the first waiter, or to the first waiter of one user.</summary>
    /// <param name="claim">The claim of the holder.</param>
    /// <param name="toUserId">The user of the waiter; null for the first waiter.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <exception cref="DunlinException">As for <see cref="LeaseService.HandOffAsync"/>.</exception>
    public ValueTask<LeaseResult> HandOffAsync(
        LeaseClaim claim,
        string? toUserId = null,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.HandOffInAsync(_unit, claim, toUserId, origin, cancellationToken);

    /// <summary>
    /// Takes a lease from its holder, at once or after a grace in which the holder may save. Audited by its event alone: the log cannot
    /// know whether the unit commits.
    /// </summary>
    /// <param name="request">The lease that is asked for.</param>
    /// <param name="reason">Shown to the holder; 1 to 200 characters.</param>
    /// <param name="grace">How long the holder keeps the lease; zero ends it with the commit.</param>
    /// <param name="origin">The cause of the change; null for the server.</param>
    /// <param name="cancellationToken">Cancels the call before the change.</param>
    /// <exception cref="DunlinException">As <see cref="LeaseService.PreemptAsync"/>.</exception>
    public ValueTask<LeaseResult> PreemptAsync(
        LeaseRequest request,
        string reason,
        TimeSpan grace,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.PreemptInAsync(_unit, request, reason, grace, origin, cancellationToken);

    /// <summary>Ends the lease of a resource, no matter who holds it, and serves the queue. For a resource that is deleted or renamed see
    /// <see cref="EndUnderAsync"/>.</summary>
    /// <returns>Whether anybody held it.</returns>
    public ValueTask<bool> ForceReleaseAsync(
        ResourceName resource,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.ForceReleaseInAsync(_unit, resource, origin, cancellationToken);

    /// <summary>Preempts the lease of a resource for its queue: at once, or after a grace period in which the holder can save. The caller
    /// does not become the holder; the first waiter does, or the resource is free.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="reason">The reason shown to the holder: 1 to 200 characters.</param>
    /// <param name="grace">The grace period: 0 to <see cref="LeaseOptions.MaxPreemptionGrace"/>. Zero ends the lease at once.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the unit of work.</param>
    /// <returns>Whether anybody held it.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the resource, reason or grace period is not
    /// valid.</exception>
    public ValueTask<bool> PreemptAsync(
        ResourceName resource,
        string reason,
        TimeSpan grace,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => Service.PreemptForQueueInAsync(_unit, resource, reason, grace, origin, cancellationToken);

    /// <summary>
    /// Ends every lease under a prefix and empties the queues, before resources are deleted or renamed. Ends none if another user holds one
    /// of them.
    /// </summary>
    /// <param name="prefix">The prefix of the resources, segment by segment.</param>
    /// <param name="userId">The user whose own leases may end; null ends the leases of all users.</param>
    /// <param name="origin">The cause, for the events; null for the server.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseHeld"/>: another user holds one of the resources.</exception>
    public async ValueTask EndUnderAsync(
        string prefix,
        string? userId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        if (userId is not null)
            await RequireNoneHeldByAnotherAsync(prefix, userId, cancellationToken);
        await Service.EndUnderInAsync(_unit, prefix, origin, cancellationToken);
    }
}
