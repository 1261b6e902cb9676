using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.Jobs;

/// <summary>What a worker does about a job whose time has come, in one unit of work.</summary>
internal static class JobStep
{
    /// <summary>
    /// Claims the job if it is to be run now: one that waits and is due, one whose claim has ended, or one that is claimed under
    /// <paramref name="orphaned"/>, whose worker is known to have ended. Forgets one that has been
    /// finished for long enough. Anything else is left, and told, so that the caller comes back in time.
    /// </summary>
    /// <returns>The job as it is afterwards, null where there is none; and whether it is claimed.</returns>
    public static async ValueTask<(JobInfo? Job, bool IsClaimed)> TakeAsync(
        IUnitOfWork unit,
        JobType type,
        string id,
        long orphaned,
        EventOrigin origin,
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
            var dead = JobFailures.After(row, type.Options, "Its workers vanished.", isFinal: true, unit.Now);
            await type.Invoker.OnFailedAsync(unit, dead, null, cancellationToken);
            return (await jobs.SaveAsync(dead, cancellationToken), false);
        }
        var claimed = row with
        {
            State = JobState.Running,
            Attempt = row.Attempt + 1,
            // Global and never handed out twice: a worker that slept holds a smaller one for ever.
            Fence = await unit.LeaseTable.NextFencingTokenAsync(cancellationToken),
            LeaseUntil = unit.Now + type.Options.LeaseDuration,
        };
        return (await jobs.SaveAsync(claimed, cancellationToken), true);
    }

    /// <summary>When there is next something to do for a worker.</summary>
    public static DateTimeOffset DueAt(JobInfo job, JobOptions options) =>
        job.State switch
        {
            JobState.Waiting => job.DueAt,
            JobState.Running => job.LeaseUntil ?? DateTimeOffset.MinValue,
            JobState.Done => (job.FinishedAt ?? DateTimeOffset.MinValue) + options.DoneAge,
            _ => (job.FinishedAt ?? DateTimeOffset.MinValue) + options.DeadAge,
        };
}
