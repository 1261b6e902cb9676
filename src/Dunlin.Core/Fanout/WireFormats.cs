using System.Text;
using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>The wire formats of the engine. Thread-safe.</summary>
public static class WireFormats
{
    /// <summary>
    /// Gets the format of the engine's own stream: <c>event: {type}</c>, <c>topic: {topic}</c> and the unchanged data. EventSource ignores
    /// the field <c>topic</c>.
    /// </summary>
    /// <remarks>
    /// An event with several topics has a field <c>also</c> for each further one. Data that is not JSON has the field <c>format</c>, with
    /// <c>text</c> or <c>base64</c>.
    /// </remarks>
    public static IWireFormat Named { get; } = new NamedFormat();

    /// <summary>Gets the format with unnamed events <c>{"type","data"}</c>.</summary>
    public static IWireFormat Typed { get; } = new TypedFormat();

    /// <summary>Gets the format with unnamed events <c>{"channel","type","payload","sourceDeviceId","timestamp"}</c>.</summary>
    /// <remarks>
    /// The channel is the part of the event type before the first colon. Without a colon it is the last segment of the topic.
    /// </remarks>
    public static IWireFormat Envelope { get; } = new EnvelopeFormat();

    /// <summary>
    /// Creates a format with unnamed events whose data is the same word for every event. It signals a change without its content.
    /// </summary>
    /// <param name="word">The data of every event.</param>
    public static IWireFormat Word(string word) => new WordFormat(word);

    // JSON as it is, text as a string, and binary data as a string in base64.
    private static void WriteData(Utf8JsonWriter json, DunlinEvent source)
    {
        if (source.Format == EventFormat.Json)
            json.WriteRawValue(source.Data.Span, skipInputValidation: true);
        else if (source.Format == EventFormat.Text)
            json.WriteStringValue(Encoding.UTF8.GetString(source.Data.Span));
        else
            json.WriteBase64StringValue(source.Data.Span);
    }

    private sealed class NamedFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame)
        {
            frame.Name(source.Type);
            frame.Topic(source.Topic);
            if (source.Extra is null)
            {
                frame.Data(source.Data.Span);
                return;
            }
            frame.Extra(source);
            frame.Data(source);
        }
    }

    private sealed class TypedFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame) =>
            frame.Json(
                source,
                static (json, e) =>
                {
                    json.WriteStartObject();
                    json.WriteString("type"u8, e.Type);
                    json.WritePropertyName("data"u8);
                    WriteData(json, e);
                    json.WriteEndObject();
                }
            );
    }

    private sealed class EnvelopeFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame) =>
            frame.Json(
                source,
                static (json, e) =>
                {
                    var colon = e.Type.IndexOf(':', StringComparison.Ordinal);
                    json.WriteStartObject();
                    json.WriteString("channel"u8, colon > 0 ? e.Type[..colon] : e.Topic.Value[(e.Topic.Value.LastIndexOf('/') + 1)..]);
                    json.WriteString("type"u8, e.Type[(colon + 1)..]);
                    json.WritePropertyName("payload"u8);
                    WriteData(json, e);
                    json.WriteString("sourceDeviceId"u8, e.Origin?.DeviceId);
                    json.WriteString("timestamp"u8, e.Time);
                    json.WriteEndObject();
                }
            );
    }

    private sealed class WordFormat(string word) : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame) => frame.Data(word);
    }
}
