using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;

namespace Dunlin.Devices;

/// <summary>
/// The wire format of one device: the envelope <c>{"channel","type","payload","sourceDeviceId","timestamp"}</c>. Thread-safe.
/// </summary>
/// <remarks>
/// Omits events that exclude this device. The exclusion is part of the event's data, so that it also applies on replay. Each stream has its
/// own instance, so a frame is encoded once per stream of a user: a few times.
/// </remarks>
/// <param name="deviceId">The device that reads.</param>
internal sealed class DeviceFormat(string deviceId) : IWireFormat
{
    /// <summary>Precedes the event type if the data is <c>{"exceptDevice","payload"}</c>.</summary>
    internal const char ExceptMark = '!';

    /// <inheritdoc/>
    public void Write(DunlinEvent source, FrameWriter frame)
    {
        if (source.Type[0] != ExceptMark)
        {
            Write(source, source.Type, source.Data.Span, frame);
            return;
        }
        // Any client that may publish to the topic can use this type: omit data of another shape.
        if (!TryRead(source.Data, out var isExcepted, out var payload) || isExcepted)
            return;
        Write(source, source.Type[1..], payload.Span, frame);
    }

    /// <param name="data">The data of an event with the mark.</param>
    /// <param name="isExcepted">Whether the event excludes this device.</param>
    /// <param name="payload">The unchanged bytes of the payload, of any depth and content.</param>
    private bool TryRead(ReadOnlyMemory<byte> data, out bool isExcepted, out ReadOnlyMemory<byte> payload)
    {
        (isExcepted, payload) = (false, default);
        var hasDevice = false;
        try
        {
            var reader = new Utf8JsonReader(data.Span, new JsonReaderOptions { MaxDepth = JsonText.MaxStoredDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isDevice = reader.ValueTextEquals("exceptDevice"u8);
                var isPayload = reader.ValueTextEquals("payload"u8);
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                if (isDevice && reader.TokenType == JsonTokenType.String)
                    (hasDevice, isExcepted) = (true, reader.ValueTextEquals(deviceId));
                reader.Skip();
                if (isPayload)
                    payload = data[start..(int)reader.BytesConsumed];
            }
        }
        catch (JsonException)
        {
            return false;
        }
        return hasDevice && !payload.IsEmpty;
    }

    private static void Write(DunlinEvent source, string eventType, ReadOnlySpan<byte> payload, FrameWriter frame)
    {
        // The stream itself uses this channel. It cannot be declared.
        if (eventType.StartsWith("system:", StringComparison.Ordinal))
            return;
        var colon = eventType.IndexOf(':', StringComparison.Ordinal);
        var raw = payload.ToArray();
        frame.Json(
            (source, eventType, colon, raw),
            static (json, e) =>
            {
                json.WriteStartObject();
                json.WriteString("channel"u8, e.colon > 0 ? e.eventType[..e.colon] : "");
                json.WriteString("type"u8, e.eventType[(e.colon + 1)..]);
                json.WritePropertyName("payload"u8);
                json.WriteRawValue(e.raw, skipInputValidation: true);
                json.WriteString("sourceDeviceId"u8, e.source.Origin?.DeviceId);
                json.WriteString("timestamp"u8, e.source.Time);
                json.WriteEndObject();
            }
        );
    }
}
