using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Webhooks;

/// <summary>The state of an endpoint.</summary>
internal enum WebhookState
{
    /// <summary>Events are delivered.</summary>
    Active,

    /// <summary>An administrator stopped the deliveries.</summary>
    Paused,

    /// <summary>The server stopped the deliveries, because the receiver failed for too long or answered 410.</summary>
    Disabled,
}

/// <summary>A signing secret. Immutable.</summary>
/// <param name="Value">The secret with its prefix <c>whsec_</c>.</param>
/// <param name="ExpiresAt">When it signs no more; null for the current secret.</param>
internal sealed record WebhookSecret(string Value, DateTimeOffset? ExpiresAt = null);

/// <summary>An endpoint: a receiver of the events of some topics. Immutable.</summary>
/// <param name="Id">The id.</param>
internal sealed record WebhookRow(string Id)
{
    public required string Url { get; init; }

    public required IReadOnlyList<string> Patterns { get; init; }

    /// <summary>Gets the event types: names, or prefixes that end in <c>*</c>. Empty for all.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Gets the user who created the endpoint.</summary>
    public required string Owner { get; init; }

    public string? Description { get; init; }

    /// <summary>Gets the secrets, the current one first.</summary>
    public required IReadOnlyList<WebhookSecret> Secrets { get; init; }

    public WebhookState State { get; init; }

    /// <summary>Gets why the endpoint is disabled.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets the maximum number of requests in a second; 0 for no limit.</summary>
    public int MaxPerSecond { get; init; }

    public int MaxConcurrent { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets the time of the first failure since the last success; null without one.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Gets the reason of the last failure since the last success; null without one.</summary>
    public string? Fault { get; init; }

    /// <summary>Gets a number that grows with each change of the settings or of deliveries from outside, so that the sender starts
    /// again.</summary>
    public long Version { get; init; }

    public string Encode() => JsonSerializer.Serialize(this, WebhookJson.Default.WebhookRow);

    public static WebhookRow Decode(string text) => JsonSerializer.Deserialize(text, WebhookJson.Default.WebhookRow)!;
}

/// <summary>The state of a delivery.</summary>
internal enum WebhookDeliveryState
{
    Waiting,
    Dead,
}

/// <summary>An event that an endpoint has not received yet. Immutable.</summary>
/// <param name="Webhook">The id of the endpoint.</param>
/// <param name="Offset">The offset of the event.</param>
internal sealed record WebhookDelivery(string Webhook, long Offset)
{
    public WebhookDeliveryState State { get; init; }

    /// <summary>Gets when the next attempt is due, or since when the delivery is dead.</summary>
    public DateTimeOffset At { get; init; }

    public required WebhookFacts Facts { get; init; }

    /// <summary>Gets the body of the request; empty in lists.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }
}

/// <summary>The message, the order and the attempts of a delivery. Immutable.</summary>
/// <param name="MessageId">The id of the message, which all attempts have.</param>
/// <param name="Topic">The topic, which orders the deliveries.</param>
/// <param name="Type">The event type.</param>
/// <param name="Attempts">The number of failed attempts.</param>
/// <param name="Fault">The reason of the last failure.</param>
internal sealed record WebhookFacts(string MessageId, string Topic, string Type, int Attempts = 0, string? Fault = null);

/// <summary>The notice of a disabled endpoint or of lost events. Immutable.</summary>
internal sealed record WebhookNotice(string Id, string Reason);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WebhookRow))]
[JsonSerializable(typeof(WebhookFacts))]
[JsonSerializable(typeof(WebhookNotice))]
internal sealed partial class WebhookJson : JsonSerializerContext;
