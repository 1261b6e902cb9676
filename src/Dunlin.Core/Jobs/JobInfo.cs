using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Jobs;

/// <summary>The state of a job.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>The job runs when it is due.</summary>
    Waiting,

    /// <summary>A worker has claimed the job until the claim expires.</summary>
    Running,

    /// <summary>The job was completed. It is removed after <see cref="JobOptions.DoneAge"/>.</summary>
    Done,

    /// <summary>The job has failed permanently. It can be retried until it is removed after <see cref="JobOptions.DeadAge"/>.</summary>
    Dead,
}

/// <summary>A durable job. Immutable.</summary>
/// <remarks>
/// A job is a record of the space <c>jobs/{type}</c>, which no user can read. The application reads jobs through <see cref="JobWriter"/>
/// and <see cref="JobReader"/>.
/// </remarks>
/// <param name="Type">The job type, which selects the handler.</param>
/// <param name="Id">The id of the job within its type.</param>
public sealed record JobInfo(string Type, string Id)
{
    /// <summary>Gets the state.</summary>
    public JobState State { get; init; }

    /// <summary>Gets the value for the handler, as JSON serialised with <c>JsonSerializerOptions.Web</c>.</summary>
    public JsonElement Value { get; init; }

    /// <summary>Gets the fairness key; see <see cref="JobRequest.FairnessKey"/>. Null if there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FairnessKey { get; init; }

    /// <summary>Gets the concurrency key; see <see cref="JobRequest.ConcurrencyKey"/>. Null if there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConcurrencyKey { get; init; }

    /// <summary>Gets the number of claims since the job was enqueued or retried.</summary>
    public int Attempt { get; init; }

    /// <summary>Gets the time of enqueueing (UTC).</summary>
    public DateTimeOffset EnqueuedAt { get; init; }

    /// <summary>Gets the time at which a waiting job is due (UTC).</summary>
    public DateTimeOffset DueAt { get; init; }

    /// <summary>
    /// Gets the fencing token of the last claim: larger than those of all earlier claims. A worker with another token cannot write.
    /// </summary>
    public long Fence { get; init; }

    /// <summary>Gets the expiry of the claim of a running job (UTC); null otherwise.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Gets the id of the node that claimed the job last; null if none has, or if a version without this property did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Worker { get; init; }

    /// <summary>
    /// Gets the error of the last failed attempt; null if there is none. For operators; the application decides what users see.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>Gets the last reported progress; null if there is none.</summary>
    public JsonElement? Progress { get; init; }

    /// <summary>Gets the time at which the job was completed or died (UTC); null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Gets the journal offset of the last change. Not stored.</summary>
    [JsonIgnore]
    public long Version { get; init; }

    /// <summary>Gets whether the job needs no worker: it is done or dead.</summary>
    [JsonIgnore]
    public bool IsFinished => State is JobState.Done or JobState.Dead;
}
