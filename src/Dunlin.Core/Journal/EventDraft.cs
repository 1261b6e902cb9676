using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>An event to append. Immutable; the caller must not change the data after construction.</summary>
public sealed class EventDraft
{
    /// <summary>The maximum length of an event type in characters: 100.</summary>
    public const int MaxTypeLength = 100;

    internal static readonly IReadOnlyDictionary<string, string> NoHeaders = new Dictionary<string, string>(StringComparer.Ordinal);

    private EventExtra? _extra;

    /// <summary>Creates a draft.</summary>
    /// <param name="topic">The topic to append to.</param>
    /// <param name="type">The event type, for example <c>case.updated</c>: 1 to 100 printable ASCII characters without spaces.</param>
    /// <param name="data">The data as UTF-8 JSON, on one line or several.</param>
    /// <param name="origin">The user, session, connection and device that cause the event; null if there is none.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>: the topic is missing. <see cref="ErrorCode.InvalidField"/>:
    /// the type is not valid, or is one of <see cref="ReservedTypes"/>.</exception>
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

    /// <summary>Gets the topic.</summary>
    public TopicName Topic { get; }

    /// <summary>Gets the event type.</summary>
    public string Type { get; }

    /// <summary>Gets the data: UTF-8 JSON, unless <see cref="Format"/> says otherwise.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Gets the cause of the event; null if there is none.</summary>
    public EventOrigin? Origin { get; }

    /// <summary>
    /// Gets further topics of the event: at most 100. The event has one position, and a connection receives it once. Default: none.
    /// </summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: there are too many, or one is missing.</exception>
    public IReadOnlyList<TopicName> AlsoOn
    {
        get => _extra?.AlsoOn ?? [];
        init => Extra = (_extra ?? new()) with { AlsoOn = value };
    }

    /// <summary>
    /// Gets whether only connections whose protocol checks each event may receive this one. Streams of topics and patterns leave it out.
    /// Default: false.
    /// </summary>
    public bool IsRestricted
    {
        get => _extra?.IsRestricted ?? false;
        init => Extra = (_extra ?? new()) with { IsRestricted = value };
    }

    /// <summary>
    /// Gets the id that another protocol gave the event: 1 to 2,048 characters without NUL. <see cref="IJournal.FindAsync"/> finds its
    /// first use. Default: null.
    /// </summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the id is not valid.</exception>
    public string? ForeignId
    {
        get => _extra?.ForeignId;
        init => Extra = (_extra ?? new()) with { ForeignId = value };
    }

    /// <summary>Gets what the data is. Default: JSON.</summary>
    public EventFormat Format
    {
        get => _extra?.Format ?? EventFormat.Json;
        init => Extra = (_extra ?? new()) with { Format = value };
    }

    /// <summary>Gets short texts for the wire format of a protocol: at most 16, of at most 2,048 characters. Default: none.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: there are too many, or one is too long.</exception>
    public IReadOnlyDictionary<string, string> Headers
    {
        get => _extra?.Headers ?? NoHeaders;
        init => Extra = (_extra ?? new()) with { Headers = value };
    }

    /// <summary>Gets the values of an event with more than topic, type and JSON data; null for all others.</summary>
    internal EventExtra? Extra
    {
        get => _extra;
        init =>
            _extra =
                value?.Fault() is { } fault ? throw fault
                : value is { IsEmpty: true } ? null
                : value;
    }

    /// <summary>
    /// Creates a draft with <paramref name="value"/> as JSON, serialised with <see cref="JsonSerializerOptions.Web"/> (camelCase).
    /// </summary>
    /// <param name="topic">The topic to append to.</param>
    /// <param name="type">The event type.</param>
    /// <param name="value">The value to serialise as the data.</param>
    /// <param name="origin">The cause of the event; null if there is none.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the type is not valid, or is one of
    /// <see cref="ReservedTypes"/>.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public static EventDraft Of<T>(TopicName topic, string type, T value, EventOrigin? origin = null) =>
        new(topic, type, JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), origin);

    /// <summary>
    /// Creates a draft with <paramref name="value"/> as JSON, serialised by the application's own contract: its options, or
    /// source-generated code.
    /// </summary>
    /// <param name="topic">The topic to append to.</param>
    /// <param name="type">The event type.</param>
    /// <param name="value">The value to serialise as the data.</param>
    /// <param name="json">The contract, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="origin">The cause of the event; null if there is none.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the type is not valid, or is one of
    /// <see cref="ReservedTypes"/>.</exception>
    public static EventDraft Of<T>(TopicName topic, string type, T value, JsonTypeInfo<T> json, EventOrigin? origin = null) =>
        new(topic, type, JsonSerializer.SerializeToUtf8Bytes(value, json), origin);

    /// <summary>
    /// Creates a draft that may have a reserved type: an event of the engine, or an event that another node has validated.
    /// </summary>
    /// <exception cref="DunlinException">The type is not valid.</exception>
    internal static EventDraft OfEngine(
        TopicName topic,
        string type,
        ReadOnlyMemory<byte> data,
        EventOrigin? origin = null,
        EventExtra? extra = null
    ) => new(topic, type, data, origin, TypeFault(type)) { Extra = extra };

    /// <summary>Creates a draft that may have a reserved type, with <paramref name="value"/> as JSON.</summary>
    internal static EventDraft OfEngine<T>(TopicName topic, string type, T value, JsonTypeInfo<T> json, EventOrigin? origin = null) =>
        OfEngine(topic, type, JsonSerializer.SerializeToUtf8Bytes(value, json), origin);

    private static string? ReservedFault(string type) =>
        ReservedTypes.Contains(type)
            ? $"The event type '{type}' is reserved. Use another name: the engine reserves {ReservedTypes.Description}."
            : null;

    /// <summary>Returns why an event type is not valid; null if it is valid. CR, LF and NUL would break the frame.</summary>
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
