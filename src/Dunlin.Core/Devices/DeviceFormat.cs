using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Devices;

/// <summary>
/// The envelope <c>{"channel","type","payload","sourceDeviceId","timestamp"}</c> for one device: leaves out what that device
/// is not to hear. One object for each stream, so a frame is encoded once for each stream of a user: a handful.
/// The exception travels in the data of the event, so that it holds on replay as well as live.
/// </summary>
/// <param name="deviceId">Who reads.</param>
public sealed class DeviceFormat(string deviceId) : IWireFormat
{
    /// <summary>Stands before the event type where the data is <c>{"exceptDevice","payload"}</c>.</summary>
    internal const char ExceptMark = '!';

    /// <inheritdoc/>
    public void Write(Event source, FrameWriter frame)
    {
        if (source.Type[0] != ExceptMark)
        {
            Write(source, source.Type, source.Data.Span, frame);
            return;
        }
        using var document = JsonDocument.Parse(source.Data);
        if (!document.RootElement.GetProperty("exceptDevice").ValueEquals(deviceId))
            Write(source, source.Type[1..], JsonSerializer.SerializeToUtf8Bytes(document.RootElement.GetProperty("payload")), frame);
    }

    private static void Write(Event source, string eventType, ReadOnlySpan<byte> payload, FrameWriter frame)
    {
        var colon = eventType.IndexOf(':', StringComparison.Ordinal);
        var raw = payload.ToArray();
        frame.Json((source, eventType, colon, raw), static (json, e) =>
        {
            json.WriteStartObject();
            json.WriteString("channel"u8, e.colon > 0 ? e.eventType[..e.colon] : "");
            json.WriteString("type"u8, e.eventType[(e.colon + 1)..]);
            json.WritePropertyName("payload"u8);
            json.WriteRawValue(e.raw, skipInputValidation: true);
            json.WriteString("sourceDeviceId"u8, e.source.Origin?.DeviceId);
            json.WriteString("timestamp"u8, e.source.Time);
            json.WriteEndObject();
        });
    }
}
