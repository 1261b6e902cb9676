using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Focus.Tests;

/// <summary>One frame of a device's stream.</summary>
internal sealed record Envelope(string? Id, string Channel, string Type, JsonElement Payload, string? SourceDeviceId)
{
    public string Name => $"{Channel}:{Type}";
}

/// <summary>Reads a device's stream.</summary>
internal static class Envelopes
{
    public static bool IsWanted(SseItem<string> item) => item.EventType == "message";

    public static Task<Envelope> UntilAsync(this EventStreamReader<Envelope> reader, string name) =>
        reader.UntilAsync(envelope => envelope.Name == name);

    public static Envelope Read(SseItem<string> item)
    {
        var frame = JsonDocument.Parse(item.Data).RootElement;
        return new Envelope(
            item.EventId,
            frame.GetProperty("channel").GetString()!,
            frame.GetProperty("type").GetString()!,
            frame.GetProperty("payload"),
            frame.GetProperty("sourceDeviceId").GetString()
        );
    }
}
