using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Client;

/// <summary>An item of a subscription: an event, or the notice that events were lost. Immutable.</summary>
public sealed class ReceivedEvent
{
    internal ReceivedEvent(string type, string? topic, ReadOnlyMemory<byte> data, StreamPosition? position, string? resetReason = null) =>
        (Type, Topic, Data, Position, ResetReason) = (type, topic, data, position, resetReason);

    /// <summary>Gets the type of the event. <c>dunlin.reset</c> for a reset.</summary>
    public string Type { get; }

    /// <summary>Gets the topic. Null on streams whose format has none, and for a reset.</summary>
    public string? Topic { get; }

    /// <summary>Gets the further topics of the event. The name of a topic that is named by a text begins with <c>#</c>. Default:
    /// none.</summary>
    public IReadOnlyList<string> AlsoOn { get; internal init; } = [];

    /// <summary>Gets the format of data that is not JSON: <c>text</c>, or <c>base64</c> for binary data. Otherwise null.</summary>
    public string? Format { get; internal init; }

    /// <summary>Gets the data in UTF-8, as the publisher sent it: usually one JSON value.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Gets the position of the subscription after this item. A transient event has the position of the event before it. Null on
    /// streams without positions.</summary>
    public StreamPosition? Position { get; }

    /// <summary>Gets whether events were lost. Read the current state again, then continue with the items that follow.</summary>
    public bool IsReset => ResetReason is not null;

    /// <summary>Gets why events were lost: <c>trimmed</c>, <c>epoch</c>, <c>ahead</c> or <c>unknown</c>. Null for an event.</summary>
    public string? ResetReason { get; }

    /// <summary>Returns the data as text.</summary>
    public string GetText() => Encoding.UTF8.GetString(Data.Span);

    /// <summary>Returns the data as an object.</summary>
    /// <typeparam name="T">The type of the data.</typeparam>
    /// <param name="type">The JSON metadata of a source-generated context.</param>
    /// <exception cref="JsonException">The data is not JSON of this type.</exception>
    public T? GetData<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Data.Span, type);

    /// <summary>Returns the type and the data, for logs and debuggers.</summary>
    public override string ToString() => $"{Type} {GetText()}";
}
