using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>An event that is yet to be appended. Immutable once made; the data must not be changed afterwards.</summary>
public sealed class EventDraft
{
    /// <summary>The longest event type, in characters.</summary>
    public const int MaxTypeLength = 100;

    /// <summary>Makes a draft.</summary>
    /// <param name="topic">The topic it is appended to.</param>
    /// <param name="type">What happened, for example <c>case.updated</c>: 1 to 100 printable ASCII characters, no space.</param>
    /// <param name="data">UTF-8 JSON, on one line or several.</param>
    /// <param name="origin">Who caused it; null when nobody did.</param>
    /// <exception cref="DunlinException">The type is not valid, or one of <see cref="ReservedTypes"/>.</exception>
    public EventDraft(TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin = null)
        : this(topic, type, data, origin, TypeFault(type) ?? ReservedFault(type)) { }

    private EventDraft(TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin, string? typeFault)
    {
        if (topic.Value.Length == 0)
            throw new DunlinException(ErrorCode.InvalidTopic, "'topic' is missing.", "topic");
        if (typeFault is not null)
            throw new DunlinException(ErrorCode.InvalidField, typeFault, "type");
        Topic = topic;
        Type = type;
        Data = data;
        Origin = origin;
    }

    /// <summary>The topic.</summary>
    public TopicName Topic { get; }

    /// <summary>What happened.</summary>
    public string Type { get; }

    /// <summary>UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Who caused it.</summary>
    public EventOrigin? Origin { get; }

    /// <summary>Makes a draft whose data is <paramref name="value"/> as JSON in web style (camelCase).</summary>
    public static EventDraft Of<T>(TopicName topic, string type, T value, EventOrigin? origin = null) =>
        new(topic, type, JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), origin);

    /// <summary>Makes a draft of the engine's own, or of an event that another node has checked: its type may be reserved.</summary>
    /// <exception cref="DunlinException">The type is not valid.</exception>
    internal static EventDraft OfEngine(TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin = null) =>
        new(topic, type, data, origin, TypeFault(type));

    /// <summary>The same with <paramref name="value"/> as JSON in web style.</summary>
    internal static EventDraft OfEngine<T>(TopicName topic, string type, T value, EventOrigin? origin = null) =>
        OfEngine(topic, type, (ReadOnlyMemory<byte>)JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), origin);

    private static string? ReservedFault(string type) =>
        ReservedTypes.Contains(type)
            ? $"The event type '{type}' is reserved. Use another name: the engine reserves {ReservedTypes.Description}."
            : null;

    /// <summary>What is wrong with an event type; null where nothing is. CR, LF and NUL would break the frame.</summary>
    internal static string? TypeFault(string? type) =>
        type switch
        {
            null or "" => "'type' is missing or empty.",
            { Length: > MaxTypeLength } => $"An event type must have at most {MaxTypeLength} characters, not {type.Length}.",
            _ when type.AsSpan().ContainsAnyExceptInRange('!', '~') =>
                "An event type must have printable ASCII characters only, without spaces.",
            _ => null,
        };
}
