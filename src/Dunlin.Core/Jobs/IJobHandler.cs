namespace Dunlin.Jobs;

/// <summary>Runs the jobs of one type.</summary>
/// <remarks>
/// A job may run more than once, because the process may end at any moment. Write effects that must happen once through
/// <see cref="JobRun{T}.CompleteAsync"/> or <see cref="JobRun{T}.WriteAsync"/>. Make all other effects (requests to other systems)
/// idempotent. Each attempt gets its own handler in its own service scope. If the handler is registered as a singleton, or its constructor
/// has no parameters, one instance handles all jobs and must be thread-safe.
/// </remarks>
/// <typeparam name="T">The type of the job's value, serialised with <c>JsonSerializerOptions.Web</c>.</typeparam>
public interface IJobHandler<T>
{
    /// <summary>
    /// Runs the job. Returning without <see cref="JobRun{T}.CompleteAsync"/> completes it. An exception fails the attempt;
    /// <see cref="JobFailedException"/> decides whether the job is retried.
    /// </summary>
    /// <param name="run">The job and its write operations.</param>
    /// <param name="cancellationToken">Cancelled when the claim is lost, the attempt exceeds <see cref="JobOptions.RunLimit"/>, or the node
    /// stops.</param>
    ValueTask RunAsync(JobRun<T> run, CancellationToken cancellationToken);

    /// <summary>
    /// Handles a failed attempt, in the unit of work that records it. Changes of the application commit with the failure.
    /// </summary>
    /// <remarks>Also called for a job whose workers were all lost.</remarks>
    /// <param name="failure">The failed attempt.</param>
    /// <param name="cancellationToken">Cancels the unit of work.</param>
    ValueTask OnFailedAsync(JobFailure<T> failure, CancellationToken cancellationToken) => default;
}

/// <summary>A failed attempt.</summary>
/// <param name="Unit">The unit of work that records the failure.</param>
/// <param name="Job">The job after the failure: waiting for the next attempt, or dead.</param>
/// <param name="Value">The value of the job; default if it could not be deserialised.</param>
/// <param name="Exception">The exception of the handler; null if the worker was lost.</param>
public sealed record JobFailure<T>(Journal.IUnitOfWork Unit, JobInfo Job, T? Value, Exception? Exception)
{
    /// <summary>Gets whether there is no further attempt unless an operator retries the job.</summary>
    public bool IsFinal => Job.State == JobState.Dead;
}

/// <summary>Fails an attempt and decides whether the job may be retried. Thrown by handlers.</summary>
/// <param name="message">The error text, stored with the job.</param>
/// <param name="isFinal">Whether no further attempt can succeed.</param>
/// <param name="innerException">The cause.</param>
public sealed class JobFailedException(string message, bool isFinal, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Gets whether no further attempt can succeed.</summary>
    public bool IsFinal { get; } = isFinal;
}
