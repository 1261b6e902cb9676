using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Mercure.Matchers;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>The document of one subscription, in events and in the subscription API. Immutable.</summary>
internal sealed record SubscriptionDocument
{
    private const string LegacyContext = "https://mercure.rocks/";

    /// <summary>Gets the JSON-LD context of version 0.x; null in 1.0.</summary>
    [JsonPropertyName("@context")]
    public string? Context { get; init; }

    /// <summary>Gets the path of the subscription, which is also the topic of its events.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("match_type")]
    public string? MatchType { get; init; }

    [JsonPropertyName("match")]
    public string? Match { get; init; }

    /// <summary>Gets the selector of version 0.x; null in 1.0.</summary>
    [JsonPropertyName("topic")]
    public string? Topic { get; init; }

    [JsonPropertyName("subscriber")]
    public required string Subscriber { get; init; }

    [JsonPropertyName("active")]
    public required bool Active { get; init; }

    [JsonPropertyName("payload")]
    public JsonElement? Payload { get; init; }

    [JsonIgnore]
    public bool IsLegacy => Context is not null;

    public static SubscriptionDocument Of(Subscriber subscriber, TopicMatcher matcher, MercureHub hub)
    {
        var isLegacy = Subscriptions.Subscriber.DialectOf(matcher) == MercureDialects.Version0;
        var kind = isLegacy ? "" : $"{matcher.Type}/";
        return new SubscriptionDocument
        {
            Context = isLegacy ? LegacyContext : null,
            // Each part is encoded once, as RFC 6570 expands {match} and {subscriber}.
            Id = $"{hub.Path}/subscriptions/{kind}{Uri.EscapeDataString(matcher.Text)}/{Uri.EscapeDataString(subscriber.Id)}",
            Type = isLegacy ? "Subscription" : "subscription",
            MatchType = isLegacy ? null : matcher.Type,
            Match = isLegacy ? null : matcher.Text,
            Topic = isLegacy ? matcher.Text : null,
            Subscriber = subscriber.Id,
            Active = true,
            Payload = subscriber.Access?.Grants.PayloadOf(matcher, hub.Url.Url),
        };
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MercureJson.Default.SubscriptionDocument);
}

/// <summary>A list of the subscription API. Immutable.</summary>
internal sealed record SubscriptionList
{
    [JsonPropertyName("@context")]
    public string? Context { get; init; }

    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>Gets the id of the last update, in version 0.x; null in 1.0, which sends it in a header.</summary>
    [JsonPropertyName("lastEventID")]
    public string? LastEventId { get; init; }

    [JsonPropertyName("subscriptions")]
    public required IReadOnlyList<SubscriptionDocument> Subscriptions { get; init; }
}

/// <summary>The subscriptions of one node, for a node that starts.</summary>
internal sealed record NodeSubscriptions(string Node, IReadOnlyList<SubscriptionDocument> Subscriptions);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SubscriptionDocument))]
[JsonSerializable(typeof(SubscriptionList))]
[JsonSerializable(typeof(NodeSubscriptions))]
[JsonSerializable(typeof(string))]
internal sealed partial class MercureJson : JsonSerializerContext;
