using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Scheduling;

namespace Dunlin.DurableStreams;

/// <summary>Whether a subscription is delivered.</summary>
internal enum StreamSubscriptionStatus
{
    /// <summary>Wakes are delivered.</summary>
    Active = 0,

    /// <summary>The last delivery failed, and a retry is scheduled.</summary>
    Failed = 1,

    /// <summary>Deliveries failed for too long. Confirming the subscription starts it again.</summary>
    Disabled = 2,
}

/// <summary>The stored state of a subscription: cursors on streams that wake a webhook or a pool of workers. Immutable.</summary>
/// <remarks>
/// At most one wake exists at a time. <c>Generation</c> grows with each wake and is the fencing token of its worker. States:
/// <code>
/// idle -> sending -> held -> idle      (webhook; sending -> waiting for a retry -> sending)
/// idle -> announced -> held -> idle    (pull-wake)
/// </code>
/// </remarks>
internal sealed record StreamSubscription(string Id)
{
    /// <summary>Gets the user that created the subscription. Only this user may read, change and claim it.</summary>
    public required string Owner { get; init; }

    /// <summary>Gets the beginning of the topics of all streams.</summary>
    public required string Prefix { get; init; }

    /// <summary>Gets the pattern of topics; null for explicit streams only. See <see cref="StreamGlob"/>.</summary>
    public string? Pattern { get; init; }

    /// <summary>Gets the receiver; null for a subscription of workers.</summary>
    public string? WebhookUrl { get; init; }

    /// <summary>Gets the topic of the stream that wakes workers; null for a webhook.</summary>
    public string? WakeTopic { get; init; }

    public required TimeSpan LeaseDuration { get; init; }

    public string? Description { get; init; }

    /// <summary>Gets the public URL below which receivers find the streams of this server.</summary>
    public required string Root { get; init; }

    /// <summary>Gets the hash of everything that a repeated creation must have in common.</summary>
    public required string ConfigurationHash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets a random text, so that tokens of a deleted subscription are not valid for a later one of the same id.</summary>
    public string Incarnation { get; init; } = "";

    /// <summary>Gets the head of the journal at the creation. Earlier events wake nobody.</summary>
    public long StartsAfter { get; init; }

    public StreamSubscriptionStatus Status { get; init; }

    public long Generation { get; init; }

    /// <summary>Gets the id of the current wake; null while idle.</summary>
    public string? WakeId { get; init; }

    /// <summary>Gets the worker that claimed the wake; null for none.</summary>
    public string? Holder { get; init; }

    /// <summary>Gets when the lease of the current wake ends; null if nobody holds one.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Gets the number of deliveries begun. It identifies the running one.</summary>
    public long Attempt { get; init; }

    /// <summary>Gets whether a node delivers the wake. If the node is killed, another one repeats the delivery at
    /// <see cref="DueAt"/>.</summary>
    public bool IsSending { get; init; }

    /// <summary>Gets the number of failed deliveries since the last acknowledgement.</summary>
    public int Failures { get; init; }

    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Gets the tails of the streams in the current wake.</summary>
    public IReadOnlyList<StreamLinkTail> Snapshot { get; init; } = [];

    /// <summary>Gets when a node must act next; null if only an append or a request can change the state.</summary>
    [JsonIgnore]
    public DateTimeOffset? DueAt { get; init; }

    [JsonIgnore]
    public bool IsWebhook => WebhookUrl is not null;

    /// <summary>Gets whether an append may start a wake: there is none, and no retry is waited for.</summary>
    [JsonIgnore]
    public bool IsIdle => WakeId is null && DueAt is null && Status != StreamSubscriptionStatus.Disabled;

    public string Encode() => JsonSerializer.Serialize(this, SubscriptionJson.Default.StreamSubscription);

    public static StreamSubscription Decode(string text, DateTimeOffset? dueAt) =>
        JsonSerializer.Deserialize(text, SubscriptionJson.Default.StreamSubscription)! with
        {
            DueAt = dueAt,
        };

    /// <summary>Returns the row without a wake, due at a time.</summary>
    public StreamSubscription Ended(DateTimeOffset? dueAt) =>
        this with
        {
            WakeId = null,
            Holder = null,
            LeaseUntil = null,
            IsSending = false,
            Snapshot = [],
            DueAt = dueAt,
        };

    /// <summary>Returns the row after an acknowledgement.</summary>
    public StreamSubscription Succeeded() => this with { Failures = 0, FailingSince = null, Status = StreamSubscriptionStatus.Active };

    /// <summary>Returns the row after a failed delivery: due after the back-off, or disabled.</summary>
    /// <param name="now">The time.</param>
    /// <param name="disableAfter">The time of failures after which the subscription is disabled; zero disables it at once.</param>
    public StreamSubscription Failed(DateTimeOffset now, TimeSpan disableAfter)
    {
        var since = FailingSince ?? now;
        var failed = this with { IsSending = false, Failures = Failures + 1, FailingSince = since };
        return now - since >= disableAfter
            ? failed.Ended(null) with
            {
                Status = StreamSubscriptionStatus.Disabled,
            }
            : failed with
            {
                Status = StreamSubscriptionStatus.Failed,
                LeaseUntil = null,
                DueAt = now + StreamRetry.Delay(failed.Failures),
            };
    }

    /// <summary>Returns the name of a stream as the protocol writes it: relative to all streams, decoded.</summary>
    public string PathOf(string topic) => StreamGlob.PathOf(Prefix, topic);
}

/// <summary>The back-off of deliveries: 1 second, doubled with each failure up to 60 seconds, with 20 % jitter.</summary>
internal static class StreamRetry
{
    private const double MaxSeconds = 60;

    /// <param name="failures">The number of failures in a row, from 1.</param>
    public static TimeSpan Delay(int failures) =>
        TimeSpan.FromSeconds(
            Math.Min(Math.Pow(2, Math.Min(failures - 1, 30)), MaxSeconds) * (0.8 + (Background.Random.NextDouble() * 0.4))
        );
}

/// <summary>The tail of a stream in a wake. Immutable.</summary>
/// <param name="Topic">The topic of the stream.</param>
/// <param name="Tail">The offset of its last append.</param>
internal sealed record StreamLinkTail(string Topic, long Tail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StreamSubscription))]
internal sealed partial class SubscriptionJson : JsonSerializerContext;
