using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;

namespace Dunlin.Jobs;

/// <summary>One attempt at a job, for its handler. Not thread-safe.</summary>
/// <remarks>Each write checks the claim in its transaction and fails once the claim is lost.</remarks>
/// <typeparam name="T">The type of the job's value.</typeparam>
public sealed class JobRun<T>
{
    private readonly JobClaim _claim;

    internal JobRun(JobClaim claim, T value) => (_claim, Value) = (claim, value);

    /// <summary>Gets the job as it was claimed.</summary>
    public JobInfo Job => _claim.Job;

    /// <summary>Gets the value of the job.</summary>
    public T Value { get; }

    /// <summary>Runs <paramref name="work"/> in a unit of work of its own, while the job is running.</summary>
    /// <param name="work">The writes.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: another worker has claimed the job, or it is gone. Nothing was
    /// written.</exception>
    public ValueTask WriteAsync(Func<IUnitOfWork, CancellationToken, ValueTask> work, CancellationToken cancellationToken = default) =>
        _claim.WriteAsync(static (_, _) => null, work, cancellationToken);

    /// <summary>Stores the progress of the job. Keep the value small.</summary>
    /// <typeparam name="TProgress">The type of the progress value.</typeparam>
    /// <param name="progress">The progress, serialised as JSON.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException">As for <see cref="WriteAsync"/>.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask ReportAsync<TProgress>(TProgress progress, CancellationToken cancellationToken = default) =>
        SaveProgressAsync(JsonSerializer.SerializeToElement(progress, JsonSerializerOptions.Web), cancellationToken);

    /// <summary>Stores the progress of the job, serialised by the application's own contract. Keep the value small.</summary>
    /// <typeparam name="TProgress">The type of the progress value.</typeparam>
    /// <param name="progress">The progress.</param>
    /// <param name="json">The contract, such as <c>AppJson.Default.Progress</c>.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException">As for <see cref="WriteAsync"/>.</exception>
    public ValueTask ReportAsync<TProgress>(
        TProgress progress,
        JsonTypeInfo<TProgress> json,
        CancellationToken cancellationToken = default
    ) => SaveProgressAsync(JsonSerializer.SerializeToElement(progress, json), cancellationToken);

    /// <summary>Completes the job and runs <paramref name="work"/>, in one transaction.</summary>
    /// <param name="work">Further writes in the transaction; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException">As for <see cref="WriteAsync"/>.</exception>
    public ValueTask CompleteAsync(
        Func<IUnitOfWork, CancellationToken, ValueTask>? work = null,
        CancellationToken cancellationToken = default
    ) => _claim.CompleteAsync(work, cancellationToken);

    private ValueTask SaveProgressAsync(JsonElement progress, CancellationToken cancellationToken) =>
        _claim.WriteAsync((job, _) => job with { Progress = progress }, null, cancellationToken);
}
