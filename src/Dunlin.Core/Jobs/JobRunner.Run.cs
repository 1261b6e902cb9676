using Dunlin.Diagnostics;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <content>Runs one job, from the claim to the result.</content>
internal sealed partial class JobRunner
{
    private async Task TakeAsync(ScheduledJob scheduled, CancellationToken stopping)
    {
        var id = scheduled.Id;
        try
        {
            if (stopping.IsCancellationRequested)
                return;
            var orphaned = OrphanedFence(id);
            var (job, isClaimed) = await _store.WriteAsync(
                (unit, ct) => JobStep.TakeAsync(unit, _type, id, orphaned, _origin, _nodeId, ct),
                CancellationToken.None
            );
            ForgetOrphan(id);
            if (job is null)
            {
                lock (_gate)
                    Forget(id);
                return;
            }
            if (!isClaimed)
            {
                Watch(job);
                return;
            }
            var claim = new JobClaim(job, _store, _origin);
            _instruments.Began(_type.Name);
            await RunClaimedAsync(claim, stopping);
            Watch(claim.Last);
        }
#pragma warning disable CA1031 // the job stays in the store: schedule it again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogClaimFailed(_logger, error, id, _type.Name);
            lock (_gate)
                _schedule.Set(new ScheduledJob(id, _clock.Now + RetryDelay, 0, scheduled.FairnessKey, scheduled.ConcurrencyKey));
        }
        finally
        {
            lock (_gate)
            {
                _runningCount--;
                _schedule.Release(scheduled);
            }
            Wake();
        }
    }

    private async Task RunClaimedAsync(JobClaim claim, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(_type.Options.RunLimit, _clock.TimeProvider);
        using var run = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        using var renewing = new CancellationTokenSource();
        var renewal = RenewAsync(claim, run, renewing.Token);
        Exception? failure = null;
        try
        {
            await _type.Invoker.RunAsync(claim, run.Token);
            if (!claim.IsCompleted)
                await claim.CompleteAsync(null, CancellationToken.None);
        }
#pragma warning disable CA1031 // the exception of the handler is the error of the job
        catch (Exception error)
#pragma warning restore CA1031
        {
            failure = error;
        }
        // Stop the renewal before the result is written, so that they cannot conflict.
        await Background.CancelAsync(renewing);
        await renewal;
        if (claim.IsCompleted)
        {
            _instruments.Ended(_type.Name, "done");
            return;
        }
        await SettleAsync(
            claim,
            failure ?? new InvalidOperationException("The handler returned without an outcome."),
            stopping,
            limit.IsCancellationRequested
        );
    }

    private async Task SettleAsync(JobClaim claim, Exception failure, CancellationToken stopping, bool tookTooLong)
    {
        var id = claim.Job.Id;
        try
        {
            if (failure is OperationCanceledException && stopping.IsCancellationRequested)
            {
                await claim.ReleaseAsync(CancellationToken.None);
                _instruments.Ended(_type.Name, "released");
                return;
            }
            var error =
                failure is OperationCanceledException && tookTooLong
                    ? $"The attempt took longer than JobOptions.RunLimit ({_type.Options.RunLimit})."
                    : failure.Message;
            await claim.FailAsync(_type, error, failure is JobFailedException { IsFinal: true }, failure, CancellationToken.None);
            if (claim.Last.State == JobState.Dead)
                LogDead(_logger, failure, id, _type.Name, claim.Job.Attempt);
            else
                LogFailed(_logger, failure, id, _type.Name, claim.Job.Attempt);
            _instruments.Ended(_type.Name, claim.Last.State == JobState.Dead ? "dead" : "failed");
        }
        catch (DunlinException lost) when (lost.Code == ErrorCode.LeaseLost)
        {
            LogLost(_logger, id, _type.Name, claim.Job.Attempt);
            _instruments.Ended(_type.Name, "lost");
            Hint(id);
        }
    }

    /// <summary>Renews the claim after each third of its duration until stopped. Cancels the run when the claim is lost.</summary>
    /// <remarks>
    /// A renewal with an unknown outcome does not extend the claim. It is retried, and the run is cancelled when the last certain expiry
    /// has passed.
    /// </remarks>
    private async Task RenewAsync(JobClaim claim, CancellationTokenSource run, CancellationToken stop)
    {
        var duration = _type.Options.LeaseDuration;
        var certainUntil = claim.Job.LeaseUntil;
        while (true)
        {
            try
            {
                await Task.Delay(duration / 3, _clock.TimeProvider, stop);
                await claim.RenewAsync(duration, stop);
                certainUntil = claim.Last.LeaseUntil ?? certainUntil;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (DunlinException lost) when (lost.Code == ErrorCode.LeaseLost)
            {
                await Background.CancelAsync(run);
                return;
            }
#pragma warning disable CA1031 // the outcome is unknown: retry
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogRenewalFailed(_logger, error, claim.Job.Id, _type.Name);
                if (_clock.Now < certainUntil)
                    continue;
                await Background.CancelAsync(run);
                return;
            }
        }
    }

    [LoggerMessage(1301, LogLevel.Error, "Claiming or completing job {Id} of type {Type} failed; retrying. Check the store.")]
    private static partial void LogClaimFailed(ILogger logger, Exception error, PeerText id, string type);

    [LoggerMessage(1302, LogLevel.Information, "Attempt {Attempt} of job {Id} of type {Type} failed; it will be retried.")]
    private static partial void LogFailed(ILogger logger, Exception error, PeerText id, string type, int attempt);

    [LoggerMessage(
        1303,
        LogLevel.Warning,
        "Job {Id} of type {Type} is dead after attempt {Attempt}. Correct the cause, then retry it with JobWriter.RetryAsync."
    )]
    private static partial void LogDead(ILogger logger, Exception error, PeerText id, string type, int attempt);

    [LoggerMessage(
        1304,
        LogLevel.Information,
        "Attempt {Attempt} of job {Id} of type {Type} lost its claim: another worker has it, or the job was cancelled."
    )]
    private static partial void LogLost(ILogger logger, PeerText id, string type, int attempt);

    [LoggerMessage(
        1305,
        LogLevel.Warning,
        "Renewing the claim on job {Id} of type {Type} failed; retrying. If it expires, another worker runs the job again."
    )]
    private static partial void LogRenewalFailed(ILogger logger, Exception error, PeerText id, string type);
}
