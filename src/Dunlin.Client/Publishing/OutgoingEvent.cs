using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Client;

/// <summary>An event to publish. Immutable.</summary>
public sealed class OutgoingEvent
{
    private OutgoingEvent(string topic, string type, byte[] data, bool isTransient) =>
        (Topic, Type, Data, IsTransient) = (topic, type, data, isTransient);

    /// <summary>Gets the topic.</summary>
    public string Topic { get; }

    /// <summary>Gets the type.</summary>
    public string Type { get; }

    /// <summary>Gets the data: one JSON value in UTF-8.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Gets whether the event is only sent live, never stored and replayed.</summary>
    public bool IsTransient { get; }

    /// <summary>Creates an event from an object.</summary>
    /// <typeparam name="T">The type of the data.</typeparam>
    /// <param name="topic">The topic.</param>
    /// <param name="type">The type of the event.</param>
    /// <param name="data">The data.</param>
    /// <param name="json">The JSON metadata of a source-generated context.</param>
    /// <param name="isTransient">Whether the event is only sent live. Default: false.</param>
    /// <exception cref="ArgumentException">The topic or the type is empty.</exception>
    public static OutgoingEvent Create<T>(string topic, string type, T data, JsonTypeInfo<T> json, bool isTransient = false) =>
        Create(topic, type, JsonSerializer.SerializeToUtf8Bytes(data, json), isTransient);

    /// <summary>Creates an event from JSON text. The server sends it to readers unchanged.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="type">The type of the event.</param>
    /// <param name="json">One JSON value.</param>
    /// <param name="isTransient">Whether the event is only sent live. Default: false.</param>
    /// <exception cref="ArgumentException">The topic or the type is empty.</exception>
    /// <exception cref="JsonException">The text is not one JSON value.</exception>
    public static OutgoingEvent FromJson(string topic, string type, string json, bool isTransient = false)
    {
        ArgumentNullException.ThrowIfNull(json);
        var data = Encoding.UTF8.GetBytes(json);
        JsonDocument.Parse(data).Dispose();
        return Create(topic, type, data, isTransient);
    }

    private static OutgoingEvent Create(string topic, string type, byte[] data, bool isTransient)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        ArgumentException.ThrowIfNullOrEmpty(type);
        return new OutgoingEvent(topic, type, data, isTransient);
    }

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("topic"u8, Topic);
        writer.WriteString("type"u8, Type);
        writer.WritePropertyName("data"u8);
        writer.WriteRawValue(Data.Span, skipInputValidation: true);
        if (IsTransient)
            writer.WriteBoolean("transient"u8, true);
        writer.WriteEndObject();
    }
}

/// <summary>The answer to a publish. Immutable.</summary>
/// <param name="Positions">The position of each event, in order. Null for a transient event.</param>
public sealed record PublishResult(IReadOnlyList<StreamPosition?> Positions);
