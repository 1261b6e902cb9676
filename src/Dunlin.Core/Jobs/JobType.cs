using System.Text.Json;
using Dunlin.Json;

namespace Dunlin.Jobs;

/// <summary>A job type that this node runs: name, handler and options. Immutable.</summary>
internal sealed class JobType
{
    private JobType(string name, JobOptions options, JobInvoker invoker) => (Name, Options, Invoker) = (name, options, invoker);

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets the options.</summary>
    public JobOptions Options { get; }

    internal JobInvoker Invoker { get; }

    /// <summary>Creates a job type.</summary>
    /// <typeparam name="T">The type of the value of its jobs.</typeparam>
    /// <param name="name">The name: 1 to 60 letters, digits and <c>.-_</c>.</param>
    /// <param name="handler">The handler.</param>
    /// <param name="options">The options; null uses the defaults.</param>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.InvalidField"/>: the name is not valid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static JobType Of<T>(string name, IJobHandler<T> handler, JobOptions? options = null)
    {
        options ??= new JobOptions();
        options.Check(JobSpaces.CheckType(name));
        return new JobType(name, options, new JobInvoker<T>(handler, options.Json));
    }
}

/// <summary>Calls a handler independently of the type of its jobs' values.</summary>
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

internal sealed class JobInvoker<T>(IJobHandler<T> handler, JsonSerializerOptions json) : JobInvoker
{
    public override ValueTask RunAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        if (!TryRead(claim.Job, out var value, out var fault))
            throw new JobFailedException("The job data cannot be read as the type that its handler expects.", isFinal: true, fault);
        return handler.RunAsync(new JobRun<T>(claim, value!), cancellationToken);
    }

    public override ValueTask OnFailedAsync(
        Journal.IUnitOfWork unit,
        JobInfo job,
        Exception? exception,
        CancellationToken cancellationToken
    )
    {
        TryRead(job, out var value, out _);
        return handler.OnFailedAsync(new JobFailure<T>(unit, job, value, exception), cancellationToken);
    }

    private bool TryRead(JobInfo job, out T? value, out Exception? fault)
    {
        try
        {
            (value, fault) = (job.Value.Deserialize(JsonContracts.Of<T>(json)), null);
            return true;
        }
        // InvalidOperationException: an unpaired surrogate. NotSupportedException: the options have no contract for the type.
        catch (Exception error) when (error is JsonException or InvalidOperationException or NotSupportedException)
        {
            (value, fault) = (default, error);
            return false;
        }
    }
}
