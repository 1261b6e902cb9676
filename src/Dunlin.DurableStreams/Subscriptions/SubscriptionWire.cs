using System.Text.Json.Serialization;
using Dunlin.DurableStreams.Wire;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>The body of a creation.</summary>
internal sealed record SubscriptionRequest(
    string? Type,
    string? Pattern,
    IReadOnlyList<string?>? Streams,
    WebhookTarget? Webhook,
    string? WakeStream,
    long? LeaseTtlMs,
    string? Description
);

internal sealed record WebhookTarget(string? Url);

/// <summary>The body that adds streams.</summary>
internal sealed record MembersRequest(IReadOnlyList<string?>? Streams);

internal sealed record ClaimRequest(string? Worker);

/// <summary>The body of a callback, an acknowledgement or a release.</summary>
internal sealed record WakeRequest(string? WakeId, long? Generation, IReadOnlyList<AckEntry?>? Acks, bool? Done);

/// <summary>One acknowledged stream. Older clients send <c>path</c>.</summary>
internal sealed record AckEntry(string? Stream, string? Path, string? Offset);

/// <summary>What a receiver may answer at once.</summary>
internal sealed record WebhookReply(bool? Done);

internal sealed record StreamEntry(string Path, string LinkType, string AckedOffset, string? TailOffset = null, bool? HasPending = null)
{
    /// <summary>Returns the entry of an answer about the subscription.</summary>
    public static StreamEntry Of(StreamSubscription row, StreamLink link, uint epoch) =>
        new(row.PathOf(link.Topic.Value), link.IsExplicit ? "explicit" : "glob", Offset(epoch, link.Acked));

    /// <summary>Returns the entry of a wake.</summary>
    public static StreamEntry OfWake(StreamSubscription row, StreamLink link, uint epoch) =>
        Of(row, link, epoch) with
        {
            TailOffset = Offset(epoch, link.Tail),
            HasPending = link.IsPending,
        };

    private static string Offset(uint epoch, long offset) => offset < 0 ? StreamOffset.Start : StreamOffset.Format(epoch, offset);
}

internal sealed record SigningEntry(string Alg, string Kid, string JwksUrl);

internal sealed record WebhookEntry(string Url, SigningEntry Signing);

internal sealed record SubscriptionAnswer(
    string Id,
    string SubscriptionId,
    string Type,
    string? Pattern,
    IReadOnlyList<StreamEntry> Streams,
    WebhookEntry? Webhook,
    string? WakeStream,
    long LeaseTtlMs,
    DateTime CreatedAt,
    string Status,
    string? Description
);

/// <summary>The body of a webhook.</summary>
internal sealed record WakeNotification(
    string SubscriptionId,
    string WakeId,
    long Generation,
    IReadOnlyList<StreamEntry> Streams,
    string CallbackUrl,
    string CallbackToken
);

internal sealed record ClaimAnswer(string WakeId, long Generation, string Token, IReadOnlyList<StreamEntry> Streams, long LeaseTtlMs);

internal sealed record AckAnswer(bool Ok, bool NextWake);

internal sealed record FaultAnswer(FaultEntry Error);

internal sealed record FaultEntry(string Code, string Message, string? CurrentHolder, long? Generation);

internal sealed record KeyEntry(string Kty, string Crv, string Kid, string Use, string Alg, string X);

internal sealed record KeySet(IReadOnlyList<KeyEntry> Keys);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 8
)]
[JsonSerializable(typeof(SubscriptionRequest))]
[JsonSerializable(typeof(MembersRequest))]
[JsonSerializable(typeof(ClaimRequest))]
[JsonSerializable(typeof(WakeRequest))]
[JsonSerializable(typeof(WebhookReply))]
[JsonSerializable(typeof(SubscriptionAnswer))]
[JsonSerializable(typeof(WakeNotification))]
[JsonSerializable(typeof(ClaimAnswer))]
[JsonSerializable(typeof(AckAnswer))]
[JsonSerializable(typeof(FaultAnswer))]
[JsonSerializable(typeof(KeySet))]
internal sealed partial class SubscriptionWire : JsonSerializerContext;
