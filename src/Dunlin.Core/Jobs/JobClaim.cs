using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Jobs;

/// <summary>
/// A claim on a job. The row is the arbiter: it is this worker's as long as the row says that the job runs under this
/// claim's fence, which is read in the transaction of every write. A claim whose time is over but which nobody has taken
/// still writes: nobody else can have begun. Safe for concurrent use (the renewal runs beside the handler).
/// </summary>
internal sealed class JobClaim(JobInfo job, IStore store, EventOrigin origin)
{
    // The last state known here: what a run ends with is watched without being read again.
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
    /// Gives the job back as if this attempt had not been: the node stops. Without an origin, so that all others look at once.
    /// </summary>
    public ValueTask ReleaseAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            static (row, now) => row with { State = JobState.Waiting, DueAt = now, Attempt = row.Attempt - 1, LeaseUntil = null },
            null,
            cancellationToken,
            origin: null
        );

    /// <summary>Records a failed attempt: another after a pause, or none.</summary>
    public async ValueTask FailAsync(JobType type, string error, bool isFinal, Exception? exception, CancellationToken cancellationToken)
    {
        JobInfo? after = null;
        await WriteAsync(
            (row, now) => after = JobFailures.After(row, type.Options, error, isFinal, now),
            (unit, ct) => type.Invoker.OnFailedAsync(unit, after!, exception, ct),
            cancellationToken
        );
    }

    /// <summary>Changes the row under this claim, and whatever <paramref name="work"/> writes, as one.</summary>
    /// <param name="change">The new state; null leaves it.</param>
    /// <param name="work">Writes more.</param>
    /// <param name="cancellationToken">Abandons it.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>.</exception>
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
                    throw new DunlinException(ErrorCode.LeaseLost, $"The job '{Job.Id}' is no longer this worker's.");
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

/// <summary>What a failed attempt makes of a job.</summary>
internal static class JobFailures
{
    private const int MaxErrorLength = 500;

    public static JobInfo After(JobInfo row, JobOptions options, string error, bool isFinal, DateTimeOffset now)
    {
        var text = error.Length > MaxErrorLength ? error[..MaxErrorLength] : error;
        if (isFinal || row.Attempt >= options.MaxAttempts)
            return row with { State = JobState.Dead, Error = text, FinishedAt = now, LeaseUntil = null };
        var pause = options.DelayAfter(row.Attempt) * (0.5 + (Random.Shared.NextDouble() / 2));
        return row with { State = JobState.Waiting, Error = text, DueAt = now + pause, LeaseUntil = null };
    }
}
