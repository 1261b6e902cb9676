using System.Text.Json.Serialization;

namespace Dunlin.Webhooks;

/// <summary>The body that creates an endpoint.</summary>
internal sealed record WebhookBody(
    string Url,
    IReadOnlyList<string> Patterns,
    string? Id = null,
    IReadOnlyList<string>? Types = null,
    string? Description = null,
    int? MaxPerSecond = null,
    int? MaxConcurrent = null
);

/// <summary>The body that changes an endpoint. Absent members stay as they are.</summary>
internal sealed record WebhookChange(
    string? Url = null,
    IReadOnlyList<string>? Patterns = null,
    IReadOnlyList<string>? Types = null,
    string? Description = null,
    int? MaxPerSecond = null,
    int? MaxConcurrent = null
);

/// <summary>Selects dead deliveries: by message ids, by the time since when they are dead, or all.</summary>
internal sealed record RedriveBody(IReadOnlyList<string>? Messages = null, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>An endpoint as administrators see it.</summary>
internal sealed record WebhookView(
    string Id,
    string Url,
    IReadOnlyList<string> Patterns,
    IReadOnlyList<string> Types,
    string? Description,
    string State,
    string? Reason,
    string Owner,
    int MaxPerSecond,
    int MaxConcurrent,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FailingSince,
    string? Fault,
    long Waiting,
    long Dead,
    string? Position,
    long Lag,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FormerSecretUntil = null
);

internal sealed record WebhookList(IReadOnlyList<WebhookView> Webhooks);

/// <summary>A delivery as administrators see it.</summary>
internal sealed record WebhookDeliveryView(
    string Message,
    string Topic,
    string Type,
    string State,
    int Attempts,
    string? Fault,
    DateTimeOffset At
);

internal sealed record WebhookDeliveryList(IReadOnlyList<WebhookDeliveryView> Deliveries, string? Next);

internal sealed record RedriveAnswer(int Redriven);

internal sealed record WebhookTestAnswer(string Message, bool Delivered, int Status, string? Fault);
