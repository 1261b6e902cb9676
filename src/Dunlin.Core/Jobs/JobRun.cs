using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Jobs;

/// <summary>One attempt at a job, as its handler sees it. Everything written through it is refused once the claim is lost, in the
/// transaction of the write. Not for concurrent use.</summary>
/// <typeparam name="T">What the job carries.</typeparam>
public sealed class JobRun<T>
{
    private readonly JobClaim _claim;

    internal JobRun(JobClaim claim, T value) => (_claim, Value) = (claim, value);

    /// <summary>The job as it was claimed.</summary>
    public JobInfo Job => _claim.Job;

    /// <summary>What it carries.</summary>
    public T Value { get; }

    /// <summary>Writes something on the way, in a unit of work of its own.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: another has the job, or it is gone; nothing was
    /// written.</exception>
    public ValueTask WriteAsync(Func<IUnitOfWork, CancellationToken, ValueTask> work, CancellationToken cancellationToken = default) =>
        _claim.WriteAsync(static (_, _) => null, work, cancellationToken);

    /// <summary>Shows how far it is: anything small that can be JSON.</summary>
    /// <exception cref="DunlinException">As in <see cref="WriteAsync"/>.</exception>
    public ValueTask ReportAsync<TProgress>(TProgress progress, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToElement(progress, JsonSerializerOptions.Web);
        return _claim.WriteAsync((job, _) => job with { Progress = json }, null, cancellationToken);
    }

    /// <summary>Ends the job as done, together with what <paramref name="work"/> writes: both or neither, and once.</summary>
    /// <exception cref="DunlinException">As in <see cref="WriteAsync"/>.</exception>
    public ValueTask CompleteAsync(
        Func<IUnitOfWork, CancellationToken, ValueTask>? work = null,
        CancellationToken cancellationToken = default
    ) => _claim.CompleteAsync(work, cancellationToken);
}
