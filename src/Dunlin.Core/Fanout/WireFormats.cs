using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>The wire formats that the engine knows.</summary>
public static class WireFormats
{
    /// <summary>
    /// <c>event: {type}</c>, <c>topic: {topic}</c> (a field that EventSource ignores) and the data as it is: the format of the engine's own
    /// stream.
    /// </summary>
    public static IWireFormat Named { get; } = new NamedFormat();

    /// <summary>Unnamed, <c>{"type","data"}</c>.</summary>
    public static IWireFormat Typed { get; } = new TypedFormat();

    /// <summary>Unnamed, <c>{"channel","type","payload","sourceDeviceId","timestamp"}</c>; the channel is the part of the
    /// event type before the first colon, or the last segment of the topic where there is none.</summary>
    public static IWireFormat Envelope { get; } = new EnvelopeFormat();

    /// <summary>Unnamed, the same word for every event: it says that something changed, not what.</summary>
    public static IWireFormat Word(string word) => new WordFormat(word);

    private sealed class NamedFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame)
        {
            frame.Name(source.Type);
            frame.Topic(source.Topic);
            frame.Data(source.Data.Span);
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
                    json.WriteRawValue(e.Data.Span, skipInputValidation: true);
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
                    json.WriteRawValue(e.Data.Span, skipInputValidation: true);
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
