using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;

namespace Dunlin.Jobs;

/// <summary>A worker's claim on a job. Thread-safe: the renewal runs concurrently with the handler.</summary>
/// <remarks>
/// Each write checks in its transaction that the row is running under the claim's fencing token. An expired claim can still write if no
/// other worker has claimed the job: then no other worker can have started it.
/// </remarks>
internal sealed class JobClaim(JobInfo job, IStore store, EventOrigin origin)
{
    // The last known state: the runner watches the result of a run without reading it again.
    private JobInfo _last = job;

    public JobInfo Job { get; } = job;

    public JobInfo Last => Volatile.Read(ref _last);

    public bool IsCompleted => Last.State != JobState.Running;

    public ValueTask CompleteAsync(Func<IUnitOfWork, CancellationToken, ValueTask>? work, CancellationToken cancellationToken) =>
        WriteAsync(
            static (row, now) => row with { State = JobState.Done, FinishedAt = now, LeaseUntil = null, Error = null },
            work,
            cancellationToken
        );

    public ValueTask RenewAsync(TimeSpan duration, CancellationToken cancellationToken) =>
        WriteAsync((row, now) => row with { LeaseUntil = now + duration }, null, cancellationToken);

    /// <summary>
    /// Returns the job without counting this attempt, because the node stops. The event has no origin, so that all nodes look at the job at
    /// once.
    /// </summary>
    public ValueTask ReleaseAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            static (row, now) => row with { State = JobState.Waiting, DueAt = now, Attempt = row.Attempt - 1, LeaseUntil = null },
            null,
            cancellationToken,
            origin: null
        );

    /// <summary>Records a failed attempt. Schedules the next attempt after a delay, or marks the job dead.</summary>
    public async ValueTask FailAsync(JobType type, string error, bool isFinal, Exception? exception, CancellationToken cancellationToken)
    {
        JobInfo? after = null;
        await WriteAsync(
            (row, now) => after = JobFailures.After(row, type.Options, error, isFinal, now),
            (unit, ct) => type.Invoker.OnFailedAsync(unit, after!, exception, ct),
            cancellationToken
        );
    }

    /// <summary>Changes the row under this claim, and runs <paramref name="work"/>, in one transaction.</summary>
    /// <param name="change">Returns the new state; null keeps the state.</param>
    /// <param name="work">Further writes in the transaction.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: another worker has claimed the job, or it is gone.</exception>
    public ValueTask WriteAsync(
        Func<JobInfo, DateTimeOffset, JobInfo?> change,
        Func<IUnitOfWork, CancellationToken, ValueTask>? work,
        CancellationToken cancellationToken
    ) => WriteAsync(change, work, cancellationToken, origin);

    private async ValueTask WriteAsync(
        Func<JobInfo, DateTimeOffset, JobInfo?> change,
        Func<IUnitOfWork, CancellationToken, ValueTask>? work,
        CancellationToken cancellationToken,
        EventOrigin? origin
    )
    {
        var saved = await store.WriteAsync(
            async (unit, ct) =>
            {
                var jobs = new JobWriter(unit, origin);
                var row = await jobs.FindAsync(Job.Type, Job.Id, ct);
                if (row is not { State: JobState.Running } || row.Fence != Job.Fence)
                    throw new DunlinException(
                        ErrorCode.LeaseLost,
                        $"This worker no longer holds the claim on job '{Job.Id}'. Stop the work: another worker may run it."
                    );
                var after = change(row, unit.Now);
                if (work is not null)
                    await work(unit, ct);
                return after is null ? row : await jobs.SaveAsync(after, ct);
            },
            cancellationToken
        );
        Volatile.Write(ref _last, saved);
    }
}

/// <summary>Computes the state of a job after a failed attempt.</summary>
internal static class JobFailures
{
    private const int MaxErrorLength = 500;

    public static JobInfo After(JobInfo row, JobOptions options, string error, bool isFinal, DateTimeOffset now)
    {
        var text = error.Length > MaxErrorLength ? error[..MaxErrorLength] : error;
        if (isFinal || row.Attempt >= options.MaxAttempts)
            return row with { State = JobState.Dead, Error = text, FinishedAt = now, LeaseUntil = null };
        var pause = options.DelayAfter(row.Attempt) * (0.5 + (Background.Random.NextDouble() / 2));
        return row with { State = JobState.Waiting, Error = text, DueAt = now + pause, LeaseUntil = null };
    }
}
