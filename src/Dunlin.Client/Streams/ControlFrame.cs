using System.Text.Json;

namespace Dunlin.Client.Streams;

/// <summary>The data of a control frame. Fields that are absent or of another type are null.</summary>
/// <remarks>A control frame is recognised by its field <c>control</c>, never by its event name: publishers choose event names.</remarks>
internal sealed record ControlFrame(string? ConnectionId, string? Position, string? Reason, TimeSpan? Heartbeat, TimeSpan? ReconnectIn)
{
    // Longer delays than a day would overflow timers and help nobody.
    private const double MaxDelayMs = 86_400_000;

    private static readonly ControlFrame Empty = new(null, null, null, null, null);

    public static ControlFrame Read(ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data);
            if (!JsonDocument.TryParseValue(ref reader, out var document))
                return Empty;
            using (document)
            {
                return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : Empty;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Empty; // no JSON, or a string that is not UTF-8
        }
    }

    /// <summary>Returns whether an event name is reserved for control frames. Without the field it does not come from the server.</summary>
    public static bool IsReserved(string type) => type.StartsWith("dunlin.", StringComparison.Ordinal);

    private static ControlFrame Read(JsonElement root) =>
        new(
            Text(root, "connectionId"),
            Text(root, "position"),
            Text(root, "reason"),
            Number(root, "heartbeatSeconds") is > 0 and var seconds ? Milliseconds(seconds * 1000) : null,
            Number(root, "reconnectInMs") is { } delay ? Milliseconds(delay) : null
        );

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static double? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out var member)
        && member.ValueKind == JsonValueKind.Number
        && member.TryGetDouble(out var value)
        && value >= 0
            ? value
            : null;

    private static TimeSpan Milliseconds(double value) => TimeSpan.FromMilliseconds(Math.Min(value, MaxDelayMs));
}
