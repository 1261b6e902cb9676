using System.Text.Json;

namespace Dunlin.Jobs;

/// <summary>One type of job that this node runs: name, handler and options.</summary>
public sealed class JobType
{
    private JobType(string name, JobOptions options, JobInvoker invoker) => (Name, Options, Invoker) = (name, options, invoker);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How its jobs are run.</summary>
    public JobOptions Options { get; }

    internal JobInvoker Invoker { get; }

    /// <summary>Joins the parts.</summary>
    /// <exception cref="Diagnostics.DunlinException">The name is not 1 to 60 letters, digits and <c>.-_</c>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static JobType Of<T>(string name, IJobHandler<T> handler, JobOptions? options = null)
    {
        options ??= new JobOptions();
        options.Check(JobSpaces.CheckType(name));
        return new JobType(name, options, new JobInvoker<T>(handler));
    }
}

/// <summary>Calls a handler without knowing what its jobs carry.</summary>
internal abstract class JobInvoker
{
    public abstract ValueTask RunAsync(JobClaim claim, CancellationToken cancellationToken);

    public abstract ValueTask OnFailedAsync(
        Journal.IUnitOfWork unit,
        JobInfo job,
        Exception? exception,
        CancellationToken cancellationToken
    );
}

internal sealed class JobInvoker<T>(IJobHandler<T> handler) : JobInvoker
{
    public override ValueTask RunAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        T value;
        try
        {
            value = claim.Job.Value.Deserialize<T>(JsonSerializerOptions.Web)!;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter for half a surrogate pair
        {
            throw new JobFailedException("What the job carries is not what its handler takes.", isFinal: true, error);
        }
        return handler.RunAsync(new JobRun<T>(claim, value), cancellationToken);
    }

    public override ValueTask OnFailedAsync(
        Journal.IUnitOfWork unit,
        JobInfo job,
        Exception? exception,
        CancellationToken cancellationToken
    )
    {
        T? value;
        try
        {
            value = job.Value.Deserialize<T>(JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            value = default;
        }
        return handler.OnFailedAsync(new JobFailure<T>(unit, job, value, exception), cancellationToken);
    }
}
