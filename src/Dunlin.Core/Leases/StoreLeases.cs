using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Leases;

/// <summary>Creates handles for the leases of the store. Each call uses <see cref="LeaseService"/>.</summary>
internal sealed partial class StoreLeases(LeaseService service, IStore store, TimeProvider time, ILogger<StoreLeases> logger) : ILeases
{
    public async ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        settings ??= LeaseSettings.Default;
        var request = settings.RequestFor(resource, duration, wait: false);
        try
        {
            return await AskAsync(request, settings, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await WithdrawAsync(request, settings);
            throw;
        }
    }

    public async ValueTask<Lease> AcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        settings ??= LeaseSettings.Default;
        var request = settings.RequestFor(resource, duration, wait: true);
        LeaseQueueWatch? watch = null;
        try
        {
            while (true)
            {
                // Reset before the request, so that a grant after the reply is not missed.
                watch?.Reset();
                if (await AskAsync(request, settings, cancellationToken) is { } lease)
                    return lease;
                if (watch is null)
                    service.Watches.Add(watch = new LeaseQueueWatch(request));
                else
                    // A repeated request after the time limit keeps the position in the queue.
                    await watch.WaitAsync(service.Options.WaitTimeout / 3, time, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException || watch is not null)
        {
            await WithdrawAsync(request, settings);
            throw;
        }
        finally
        {
            if (watch is not null)
                service.Watches.Remove(watch);
        }
    }

    public async ValueTask<Lease> AttachAsync(
        LeaseClaim claim,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        LeaseChecks.Check(claim);
        var asked = time.GetTimestamp();
        var (row, now) = await FindRowAsync(claim.Resource, cancellationToken);
        if (LeaseClaimCheck.LossOf(row, claim, now) is { } reason)
            throw LeaseErrors.Lost(row?.IsHeldAt(now) == true ? LeaseInfo.Of(row) : null, claim.Resource, reason);
        var exact = claim with { FencingToken = row!.FencingToken };
        return Open(exact, LeaseInfo.Of(row), now, asked, settings ?? LeaseSettings.Default);
    }

    public ValueTask<LeaseInfo?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default) =>
        store.ReadAsync((scope, ct) => scope.Leases.FindAsync(resource, ct), cancellationToken);

    private async ValueTask<Lease?> AskAsync(LeaseRequest request, LeaseSettings settings, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var result = await service.AcquireAsync(request, settings.Origin, cancellationToken);
        return result.Claim is { } claim ? Open(claim, result.Lease, result.Now, asked, settings) : null;
    }

    private Lease Open(LeaseClaim claim, LeaseInfo info, DateTimeOffset now, long asked, LeaseSettings settings)
    {
        var backend = new Holding(this, claim, settings.Origin);
        var lease = backend.Open(info, now, asked, settings.AutoRenew);
        service.Watches.Add(backend);
        // The lease may have expired before it was watched.
        if (lease.LossReason is not null)
            service.Watches.Remove(backend);
        return lease;
    }

    /// <summary>Withdraws a request that may have been granted or queued.</summary>
    private async ValueTask WithdrawAsync(LeaseRequest request, LeaseSettings settings)
    {
        try
        {
            var claim = new LeaseClaim(request.Resource, request.LeaseId, request.Owner.UserId);
            await service.ReleaseAsync(claim, settings.Origin, CancellationToken.None);
        }
#pragma warning disable CA1031 // the caller gets the first exception; the position in the queue expires
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogWithdrawalFailed(logger, exception, request.Resource);
        }
    }

    private ValueTask<(LeaseRow? Row, DateTimeOffset Now)> FindRowAsync(ResourceName resource, CancellationToken cancellationToken) =>
        store.ReadAsync(async (scope, ct) => (await scope.LeaseTable.FindAsync(resource, ct), scope.Now), cancellationToken);

    [LoggerMessage(1104, LogLevel.Warning, "Releasing the lease of {Resource} failed. It is held until it expires.")]
    private static partial void LogReleaseFailed(ILogger logger, Exception exception, ResourceName resource);

    [LoggerMessage(1105, LogLevel.Warning, "Renewing the lease of {Resource} failed; retrying until it expires. Check the store.")]
    private static partial void LogRenewalFailed(ILogger logger, Exception exception, ResourceName resource);

    [LoggerMessage(1106, LogLevel.Warning, "Leaving the queue of {Resource} failed. The place expires after LeaseOptions.WaitTimeout.")]
    private static partial void LogWithdrawalFailed(ILogger logger, Exception exception, ResourceName resource);

    /// <summary>One lease of the store and its handle.</summary>
    private sealed class Holding(StoreLeases leases, LeaseClaim claim, EventOrigin? origin) : LeaseBackend(leases.Time), ILeaseWatch
    {
        private Lease? _lease;

        public ResourceName Resource => claim.Resource;

        public Lease Open(LeaseInfo info, DateTimeOffset now, long asked, bool autoRenew) =>
            _lease = new Lease(this, claim, TermOf(info, now, asked), autoRenew);

        public override async ValueTask<LeaseTerm> RenewAsync(LeaseDuration duration, CancellationToken cancellationToken)
        {
            var asked = Time.GetTimestamp();
            var result = await leases.Service.RenewAsync(claim, duration, origin, cancellationToken);
            return TermOf(result.Lease, result.Now, asked);
        }

        public override async ValueTask HandOffAsync(string? toUserId, CancellationToken cancellationToken) =>
            await leases.Service.HandOffAsync(claim, toUserId, origin, cancellationToken);

        public override ValueTask<bool> ReleaseAsync(CancellationToken cancellationToken) =>
            leases.Service.ReleaseAsync(claim, origin, cancellationToken);

        public override async ValueTask<LeaseEnd?> LossAsync()
        {
            var (row, now) = await leases.FindRowAsync(Resource, CancellationToken.None);
            return LeaseClaimCheck.LossOf(row, claim, now);
        }

        public override void OnClosed() => leases.Service.Watches.Remove(this);

        public override void LogReleaseFailed(Exception exception) => StoreLeases.LogReleaseFailed(leases.Logger, exception, Resource);

        public override void LogRenewalFailed(Exception exception) => StoreLeases.LogRenewalFailed(leases.Logger, exception, Resource);

        public bool IsConcernedBy(LeaseRow row, DateTimeOffset now) => row.Ending || LeaseClaimCheck.LossOf(row, claim, now) is not null;

        public void OnRow(LeaseRow? row, DateTimeOffset now, long turn)
        {
            if (LeaseClaimCheck.LossOf(row, claim, now) is { } reason)
                _lease!.Lose(reason);
            else
                _lease!.Update(row!.ExpiresAt, row.Ending, turn);
        }

        private LeaseTerm TermOf(LeaseInfo info, DateTimeOffset now, long asked) =>
            TermOf(info.ExpiresAt, info.ExpiresAt - now, info.IsEnding, asked);
    }

    private LeaseService Service => service;

    private TimeProvider Time => time;

    private ILogger Logger => logger;
}

/// <summary>Watches the queue of a resource for a call that waits in it.</summary>
internal sealed class LeaseQueueWatch(LeaseRequest request) : ILeaseWatch
{
    private TaskCompletionSource _changed = NewSource();

    public ResourceName Resource => request.Resource;

    /// <summary>Discards earlier changes.</summary>
    public void Reset() => Volatile.Write(ref _changed, NewSource());

    /// <summary>Completes when the lease may have been granted, or after the time limit.</summary>
    public async Task WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Volatile.Read(ref _changed).Task.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The caller repeats its request.
        }
    }

    public bool IsConcernedBy(LeaseRow row, DateTimeOffset now) =>
        (row.LeaseId is not null && LeaseStep.IsSame(row.LeaseId, request.LeaseId))
        || !row.Waiters.Any(waiter => LeaseStep.IsSame(waiter.LeaseId, request.LeaseId));

    public void OnRow(LeaseRow? row, DateTimeOffset now, long turn)
    {
        if (row?.IsHeldAt(now) != true || IsConcernedBy(row, now))
            Volatile.Read(ref _changed).TrySetResult();
    }

    private static TaskCompletionSource NewSource() => new(Background.Continuations);
}
