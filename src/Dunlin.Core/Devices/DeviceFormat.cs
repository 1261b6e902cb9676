using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;

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
    public void Write(DunlinEvent source, FrameWriter frame)
    {
        if (source.Type[0] != ExceptMark)
        {
            Write(source, source.Type, source.Data.Span, frame);
            return;
        }
        // Anybody who may publish to the topic can use this type: data of another shape is left out.
        if (!TryRead(source.Data, out var isExcepted, out var payload) || isExcepted)
            return;
        Write(source, source.Type[1..], payload.Span, frame);
    }

    /// <param name="data">What stands behind the mark.</param>
    /// <param name="isExcepted">Whether this device is not to hear it.</param>
    /// <param name="payload">As it came, whatever its depth and texts.</param>
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
        // The stream itself speaks on this channel; no channel of this name can be declared.
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
