namespace Dunlin.Jobs;

/// <summary>
/// Does the jobs of one type. The implementer's duty: a job may be begun more than once (the process may end at any moment),
/// so whatever must happen once is written through <see cref="JobRun{T}.CompleteAsync"/> or <see cref="JobRun{T}.WriteAsync"/>,
/// and what is done elsewhere (a request to another system) is repeatable. Each attempt has an object and a scope of its own; one
/// object, which must then be safe for concurrent use, runs all where the handler is registered as a singleton or its constructor
/// takes nothing.
/// </summary>
/// <typeparam name="T">What a job carries: JSON in web style.</typeparam>
public interface IJobHandler<T>
{
    /// <summary>Does the job. Returning without <see cref="JobRun{T}.CompleteAsync"/> completes it. Throwing fails the attempt;
    /// <see cref="JobFailedException"/> decides whether it is worth another.</summary>
    /// <param name="run">The job, and the way to write.</param>
    /// <param name="cancellationToken">Cancelled when the claim is lost, the run takes too long, or the node stops.</param>
    ValueTask RunAsync(JobRun<T> run, CancellationToken cancellationToken);

    /// <summary>Called in the unit of work that records a failure: what the application shows of the job changes with it, or not
    /// at all. Also called for a job whose workers have all vanished.</summary>
    ValueTask OnFailedAsync(JobFailure<T> failure, CancellationToken cancellationToken) => default;
}

/// <summary>An attempt that failed.</summary>
/// <param name="Unit">The unit of work that records it.</param>
/// <param name="Job">The job as it will be: waiting for the next attempt, or dead.</param>
/// <param name="Value">What it carries; default where that could not be read.</param>
/// <param name="Exception">What was thrown; null where the worker vanished.</param>
public sealed record JobFailure<T>(Journal.IUnitOfWork Unit, JobInfo Job, T? Value, Exception? Exception)
{
    /// <summary>Whether there will be no further attempt unless somebody retries the job.</summary>
    public bool IsFinal => Job.State == JobState.Dead;
}

/// <summary>Thrown by a handler that knows whether another attempt is worth it.</summary>
/// <param name="message">Kept as the job's error.</param>
/// <param name="isFinal">True where no further attempt can succeed.</param>
/// <param name="innerException">The cause.</param>
public sealed class JobFailedException(string message, bool isFinal, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Whether no further attempt can succeed.</summary>
    public bool IsFinal { get; } = isFinal;
}
