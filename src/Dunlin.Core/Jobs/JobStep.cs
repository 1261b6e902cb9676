using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.Jobs;

/// <summary>The step of a worker for a due job, in one unit of work.</summary>
internal static class JobStep
{
    /// <summary>
    /// Claims a job that is waiting and due, whose claim has expired, or whose claim has the token <paramref name="orphaned"/>. Removes a
    /// job that finished long enough ago.
    /// </summary>
    /// <remarks>
    /// <paramref name="orphaned"/> is the fencing token of a worker that has ended. In all other cases the job is unchanged, and the caller
    /// schedules it again.
    /// </remarks>
    /// <returns>The job after the step, null if there is none; and whether it was claimed.</returns>
    public static async ValueTask<(JobInfo? Job, bool IsClaimed)> TakeAsync(
        IUnitOfWork unit,
        JobType type,
        string id,
        long orphaned,
        EventOrigin origin,
        string nodeId,
        CancellationToken cancellationToken
    )
    {
        var jobs = new JobWriter(unit, origin);
        if (await jobs.FindAsync(type.Name, id, cancellationToken) is not { } row)
            return (null, false);
        var isOrphan = row.State == JobState.Running && row.Fence == orphaned;
        if (!isOrphan && DueAt(row, type.Options) > unit.Now)
            return (row, false);
        if (row.IsFinished)
        {
            await jobs.CancelAsync(type.Name, id, cancellationToken);
            return (null, false);
        }
        if (row.State == JobState.Running && row.Attempt >= type.Options.MaxAttempts)
        {
            var dead = JobFailures.After(row, type.Options, "The workers of all attempts were lost.", isFinal: true, unit.Now);
            await type.Invoker.OnFailedAsync(unit, dead, null, cancellationToken);
            return (await jobs.SaveAsync(dead, cancellationToken), false);
        }
        var claimed = row with
        {
            State = JobState.Running,
            Attempt = row.Attempt + 1,
            // Global and unique: a worker that was suspended always has a smaller token.
            Fence = await unit.LeaseTable.NextFencingTokenAsync(cancellationToken),
            LeaseUntil = unit.Now + type.Options.LeaseDuration,
            Worker = nodeId,
        };
        return (await jobs.SaveAsync(claimed, cancellationToken), true);
    }

    /// <summary>Returns the time at which a worker must next act on the job.</summary>
    public static DateTimeOffset DueAt(JobInfo job, JobOptions options) =>
        job.State switch
        {
            JobState.Waiting => job.DueAt,
            JobState.Running => job.LeaseUntil ?? DateTimeOffset.MinValue,
            JobState.Done => (job.FinishedAt ?? DateTimeOffset.MinValue) + options.DoneAge,
            _ => (job.FinishedAt ?? DateTimeOffset.MinValue) + options.DeadAge,
        };
}
