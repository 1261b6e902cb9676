using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Jobs;

/// <summary>Where a job stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>It is to be run when it falls due.</summary>
    Waiting,

    /// <summary>A worker has claimed it, until its lease ends.</summary>
    Running,

    /// <summary>It has been done. Kept for a while, then forgotten.</summary>
    Done,

    /// <summary>It has failed for good and waits for somebody to retry it.</summary>
    Dead,
}

/// <summary>
/// Work that outlives the process that was asked for it. It is a record of the space <c>jobs/{type}</c>, which nobody may
/// read; <see cref="JobWriter"/> and <see cref="JobReader"/> show it to the application. Immutable.
/// </summary>
/// <param name="Type">Which handler does it.</param>
/// <param name="Id">Names it within its type.</param>
public sealed record JobInfo(string Type, string Id)
{
    /// <summary>Where it stands.</summary>
    public JobState State { get; init; }

    /// <summary>What the handler is given, as JSON in web style.</summary>
    public JsonElement Value { get; init; }

    /// <summary>Whose turn it takes, as <see cref="JobRequest.FairnessKey"/> says; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FairnessKey { get; init; }

    /// <summary>What it uses, as <see cref="JobRequest.ConcurrencyKey"/> says; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConcurrencyKey { get; init; }

    /// <summary>How often it has been claimed since it was enqueued or retried.</summary>
    public int Attempt { get; init; }

    /// <summary>When it was enqueued.</summary>
    public DateTimeOffset EnqueuedAt { get; init; }

    /// <summary>When it is to be run, while it waits.</summary>
    public DateTimeOffset DueAt { get; init; }

    /// <summary>
    /// The token of the last claim: larger than that of every claim before it. A worker with another one can write nothing.
    /// </summary>
    public long Fence { get; init; }

    /// <summary>When the claim ends unless it is renewed, while it runs.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>
    /// Why the last attempt failed; null where none has. For operators: what users are shown is the application's choice.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>What the handler last reported; null where it has not.</summary>
    public JsonElement? Progress { get; init; }

    /// <summary>When it was done or died.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The journal offset of its last change; not part of what is stored.</summary>
    [JsonIgnore]
    public long Version { get; init; }

    /// <summary>Whether there is nothing left to do for a worker.</summary>
    [JsonIgnore]
    public bool IsFinished => State is JobState.Done or JobState.Dead;
}
