using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>The options of an enqueued job. Immutable.</summary>
public sealed record JobRequest
{
    /// <summary>
    /// Gets the id of the job within its type: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters. Null (the default) creates a new
    /// id.
    /// </summary>
    /// <remarks>If an unfinished job with this id exists, enqueueing returns it and changes nothing.</remarks>
    public string? Id { get; init; }

    /// <summary>Gets the earliest time to run the job. Null (the default): at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Gets whether to replace an unfinished job with this id. Its worker can then no longer write. Default: false.</summary>
    public bool Replace { get; init; }

    /// <summary>
    /// Gets the fairness key, such as the user who causes the job: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters. Null: the jobs
    /// without a key share one turn.
    /// </summary>
    /// <remarks>
    /// Keys take turns, so a key with many jobs does not delay the others. <see cref="JobOptions.MaxParallelPerFairnessKey"/> limits each
    /// key.
    /// </remarks>
    public string? FairnessKey { get; init; }

    /// <summary>
    /// Gets the concurrency key, such as the remote host that the job uses: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters. Null:
    /// no such limit.
    /// </summary>
    /// <remarks><see cref="JobOptions.MaxParallelPerConcurrencyKey"/> limits each key.</remarks>
    public string? ConcurrencyKey { get; init; }
}

/// <summary>
/// Enqueues, retries and cancels jobs in a unit of work. A job exists if and only if the unit of work commits. Not thread-safe.
/// </summary>
/// <example>
/// <code>
/// await store.WriteAsync(async (unit, ct) =>
/// {
///     await SaveOrderAsync(unit, order, ct);
///     await unit.Jobs().EnqueueAsync("send-receipt", new Receipt(order.Id), cancellationToken: ct);
/// }, cancellationToken);
/// </code>
/// </example>
public sealed class JobWriter
{
    private readonly IUnitOfWork _unit;
    private readonly RecordWriter _records;

    internal JobWriter(IUnitOfWork unit, EventOrigin? origin) => (_unit, _records) = (unit, unit.Records(origin));

    /// <summary>Enqueues a job. After the commit it runs on any node that has a handler for its type.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="type">The job type: 1 to 60 letters, digits and <c>.-_</c>.</param>
    /// <param name="value">The value for the handler, serialised as JSON.</param>
    /// <param name="request">The options; null uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The new job, or the unchanged unfinished job with the same id.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the type, id or a key is not valid.
    /// <see cref="ErrorCode.TooLarge"/>: the value is too large.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask<JobInfo> EnqueueAsync<T>(
        string type,
        T value,
        JobRequest? request = null,
        CancellationToken cancellationToken = default
    ) => AddAsync(type, JsonSerializer.SerializeToElement(value, JsonSerializerOptions.Web), request, cancellationToken);

    /// <summary>Enqueues a job whose value is serialised by the application's own contract: its options, or source-generated code. The
    /// handler reads it with <see cref="JobOptions.Json"/>.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="type">The job type: 1 to 60 letters, digits and <c>.-_</c>.</param>
    /// <param name="value">The value for the handler.</param>
    /// <param name="json">The contract, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="request">The options; null uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The new job, or the unchanged unfinished job with the same id.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the type, id or a key is not valid.
    /// <see cref="ErrorCode.TooLarge"/>: the value is too large.</exception>
    public ValueTask<JobInfo> EnqueueAsync<T>(
        string type,
        T value,
        JsonTypeInfo<T> json,
        JobRequest? request = null,
        CancellationToken cancellationToken = default
    ) => AddAsync(type, JsonSerializer.SerializeToElement(value, json), request, cancellationToken);

    private async ValueTask<JobInfo> AddAsync(string type, JsonElement value, JobRequest? request, CancellationToken cancellationToken)
    {
        JobSpaces.CheckType(type);
        request ??= new JobRequest();
        CheckKey(request.FairnessKey, "fairnessKey");
        CheckKey(request.ConcurrencyKey, "concurrencyKey");
        var id = request.Id ?? Guid.CreateVersion7().ToString("N");
        var known = await FindAsync(type, id, cancellationToken);
        if (known is { IsFinished: false } && !request.Replace)
            return known;
        return await SaveAsync(
            new JobInfo(type, id)
            {
                Value = value,
                EnqueuedAt = _unit.Now,
                DueAt = request.DueAt ?? _unit.Now,
                FairnessKey = request.FairnessKey,
                ConcurrencyKey = request.ConcurrencyKey,
                // Keep the token: it must never decrease.
                Fence = known?.Fence ?? 0,
            },
            cancellationToken
        );
    }

    /// <summary>Retries a dead job, with all its attempts.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="id">The id of the job within its type.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The job, which now waits for a worker.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the job does not exist. <see cref="ErrorCode.Conflict"/>: the
    /// job is not dead.</exception>
    public async ValueTask<JobInfo> RetryAsync(string type, string id, CancellationToken cancellationToken = default)
    {
        var job =
            await FindAsync(type, id, cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, $"No job of type '{type}' with id '{id}'.");
        if (job.State != JobState.Dead)
            throw new DunlinException(
                ErrorCode.Conflict,
                $"Job '{id}' is {job.State.ToString().ToLowerInvariant()}. Only a dead job can be retried."
            );
        return await SaveAsync(
            job with
            {
                State = JobState.Waiting,
                Attempt = 0,
                DueAt = _unit.Now,
                FinishedAt = null,
                Progress = null,
            },
            cancellationToken
        );
    }

    /// <summary>Removes a job in any state. Its worker can then no longer write.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="id">The id of the job within its type.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>Whether the job existed.</returns>
    public ValueTask<bool> CancelAsync(string type, string id, CancellationToken cancellationToken = default) =>
        _records.DeleteAsync(JobSpaces.Of(type), id, cancellationToken);

    /// <summary>Returns a job; null if it does not exist.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="id">The id of the job within its type.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<JobInfo?> FindAsync(string type, string id, CancellationToken cancellationToken = default) =>
        await _records.FindAsync(JobSpaces.Of(type), id, cancellationToken) is { } row ? JobSpaces.Read(row) : null;

    private static void CheckKey(string? key, string field)
    {
        if (key is { Length: 0 or > RecordLimits.MaxKeyLength })
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{field}' must have 1 to {RecordLimits.MaxKeyLength} characters, not {key.Length}.",
                field
            );
    }

    internal async ValueTask<JobInfo> SaveAsync(JobInfo job, CancellationToken cancellationToken) =>
        job with
        {
            Version = (
                await _records.PutAsync(JobSpaces.Of(job.Type), job.Id, job, JobJson.Default.JobInfo, cancellationToken: cancellationToken)
            ).Version,
        };
}

/// <summary>Adds jobs to units of work and read scopes.</summary>
public static class JobExtensions
{
    /// <summary>Returns a writer that enqueues and changes jobs in this unit of work.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    public static JobWriter Jobs(this IUnitOfWork unit) => new(unit, null);

    /// <summary>Returns a reader of the jobs in this snapshot.</summary>
    /// <param name="scope">The read scope.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    public static JobReader Jobs(this IReadScope scope) => new(scope.RecordTables().Records);
}
