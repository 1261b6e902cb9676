using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>How a job is enqueued.</summary>
public sealed record JobRequest
{
    /// <summary>Names the job within its type, 1 to <see cref="RecordLimits.MaxKeyLength"/> characters; null for a new name.
    /// A job of this name that is not finished is not enqueued a second time.</summary>
    public string? Id { get; init; }

    /// <summary>Not to be run before; null for at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Begins anew also where a job of this name waits or runs: whoever runs it can then write nothing more.</summary>
    public bool Replace { get; init; }

    /// <summary>Names who causes the work, such as a user: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters. Keys take turns, so one
    /// with many jobs does not delay the others, and <see cref="JobOptions.MaxParallelPerFairnessKey"/> limits each. Null: the job takes a
    /// turn with all that have no key.</summary>
    public string? FairnessKey { get; init; }

    /// <summary>Names what the job uses, such as a remote host: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters.
    /// <see cref="JobOptions.MaxParallelPerConcurrencyKey"/> limits each. Null: nothing that is limited.</summary>
    public string? ConcurrencyKey { get; init; }
}

/// <summary>
/// Enqueues, retries and cancels jobs inside a unit of work, so that a job exists if, and only if, the change that asks for
/// it was committed. Not for concurrent use.
/// </summary>
public sealed class JobWriter
{
    private readonly IUnitOfWork _unit;
    private readonly RecordWriter _records;

    internal JobWriter(IUnitOfWork unit, EventOrigin? origin) => (_unit, _records) = (unit, unit.Records(origin));

    /// <summary>Asks for work. Runs soon after the unit of work has committed, on any node that has a handler for the type.</summary>
    /// <typeparam name="T">What the handler takes.</typeparam>
    /// <returns>The job: the new one, or the unfinished one of the same name as it was.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, <see cref="ErrorCode.TooLarge"/>.</exception>
    public async ValueTask<JobInfo> EnqueueAsync<T>(
        string type,
        T value,
        JobRequest? request = null,
        CancellationToken cancellationToken = default
    )
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
                Value = JsonSerializer.SerializeToElement(value, JsonSerializerOptions.Web),
                EnqueuedAt = _unit.Now,
                DueAt = request.DueAt ?? _unit.Now,
                FairnessKey = request.FairnessKey,
                ConcurrencyKey = request.ConcurrencyKey,
                // Kept, so that a token is never seen to shrink.
                Fence = known?.Fence ?? 0,
            },
            cancellationToken
        );
    }

    /// <summary>Has a dead job run again, with all its attempts.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>; <see cref="ErrorCode.Conflict"/> where it is not
    /// dead.</exception>
    public async ValueTask<JobInfo> RetryAsync(string type, string id, CancellationToken cancellationToken = default)
    {
        var job = await FindAsync(type, id, cancellationToken) ?? throw new DunlinException(ErrorCode.NotFound, $"There is no job '{id}'.");
        if (job.State != JobState.Dead)
            throw new DunlinException(ErrorCode.Conflict, "Only a job that has failed for good can be retried.");
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

    /// <summary>Takes a job away, whatever its state: whoever runs it can write nothing more. False where there is none.</summary>
    public ValueTask<bool> CancelAsync(string type, string id, CancellationToken cancellationToken = default) =>
        _records.DeleteAsync(JobSpaces.Of(type), id, cancellationToken);

    /// <summary>One job; null where there is none.</summary>
    public async ValueTask<JobInfo?> FindAsync(string type, string id, CancellationToken cancellationToken = default) =>
        await _records.FindAsync(JobSpaces.Of(type), id, cancellationToken) is { } row ? JobSpaces.Read(row) : null;

    private static void CheckKey(string? key, string field)
    {
        if (key is { Length: 0 or > RecordLimits.MaxKeyLength })
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{field}' has {key.Length} characters; it must have 1 to {RecordLimits.MaxKeyLength}.",
                field
            );
    }

    internal async ValueTask<JobInfo> SaveAsync(JobInfo job, CancellationToken cancellationToken) =>
        job with
        {
            Version = (await _records.PutAsync(JobSpaces.Of(job.Type), job.Id, job, cancellationToken: cancellationToken)).Version,
        };
}

/// <summary>Jobs of units of work and read scopes.</summary>
public static class JobExtensions
{
    /// <summary>Enqueues and changes jobs in this unit of work.</summary>
    /// <exception cref="NotSupportedException">The store keeps no records.</exception>
    public static JobWriter Jobs(this IUnitOfWork unit) => new(unit, null);

    /// <summary>Shows jobs in this snapshot.</summary>
    /// <exception cref="NotSupportedException">The store keeps no records.</exception>
    public static JobReader Jobs(this IReadScope scope) => new(scope.RecordTables().Records);
}
