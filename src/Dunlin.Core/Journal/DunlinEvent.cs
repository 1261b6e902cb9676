using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>An event of the journal, or a transient event. Immutable and thread-safe.</summary>
/// <remarks>All connections share the event and its encoded frames: each wire format encodes it once.</remarks>
public sealed class DunlinEvent
{
    private object? _frames;

    /// <summary>Creates an event: committed, or transient if the offset of its position is 0.</summary>
    /// <param name="position">The position in the journal; offset 0 for a transient event.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="type">The event type.</param>
    /// <param name="data">The data as UTF-8 JSON.</param>
    /// <param name="origin">The cause of the event; null if unknown.</param>
    /// <param name="time">The time of the append.</param>
    public DunlinEvent(Position position, TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin, DateTimeOffset time)
        : this(position, topic, type, data, origin, time, extra: null) { }

    /// <summary>Creates an event from a draft: committed, or transient if the offset of its position is 0.</summary>
    /// <param name="position">The position in the journal; offset 0 for a transient event.</param>
    /// <param name="draft">The topics, type, data, origin and all else.</param>
    /// <param name="time">The time of the append.</param>
    public DunlinEvent(Position position, EventDraft draft, DateTimeOffset time)
        : this(position, draft.Topic, draft.Type, draft.Data, draft.Origin, time, draft.Extra) { }

    internal DunlinEvent(
        Position position,
        TopicName topic,
        string type,
        ReadOnlyMemory<byte> data,
        EventOrigin? origin,
        DateTimeOffset time,
        EventExtra? extra
    )
    {
        Extra = extra ?? (topic.IsText ? new EventExtra() : null);
        Position = position;
        Topic = topic;
        Type = type;
        Data = data;
        Origin = origin;
        Time = time;
    }

    /// <summary>Gets the position in the journal. A transient event has offset 0 and is not stored.</summary>
    public Position Position { get; }

    /// <summary>Gets the topic.</summary>
    public TopicName Topic { get; }

    /// <summary>Gets the event type, for example <c>case.updated</c>.</summary>
    public string Type { get; }

    /// <summary>Gets the data: UTF-8 JSON, unless <see cref="Format"/> says otherwise.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Gets the user, session, connection and device that caused the event; null if unknown.</summary>
    public EventOrigin? Origin { get; }

    /// <summary>Gets the time of the append (UTC), by the clock of the store.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Gets whether the event is delivered live only, without an id and without replay.</summary>
    public bool IsTransient => Position.Offset == 0;

    /// <summary>Creates a transient event from a draft.</summary>
    /// <param name="draft">The topic, type, data and origin.</param>
    /// <param name="time">The time of the event.</param>
    public static DunlinEvent Transient(EventDraft draft, DateTimeOffset time) => new(default, draft, time);

    /// <summary>Gets further topics of the event. Default: none.</summary>
    public IReadOnlyList<TopicName> AlsoOn => Extra?.AlsoOn ?? [];

    /// <summary>Gets whether only connections whose protocol checks each event receive this one.</summary>
    public bool IsRestricted => Extra?.IsRestricted ?? false;

    /// <summary>Gets the id that another protocol gave the event; null for none.</summary>
    public string? ForeignId => Extra?.ForeignId;

    /// <summary>Gets what the data is.</summary>
    public EventFormat Format => Extra?.Format ?? EventFormat.Json;

    /// <summary>Gets short texts for the wire format of a protocol.</summary>
    public IReadOnlyDictionary<string, string> Headers => Extra?.Headers ?? EventDraft.NoHeaders;

    /// <summary>
    /// Gets the values of an event with more than topic, type and JSON data; null for all others. An event with a text topic always has
    /// an object, which caches the topic's views.
    /// </summary>
    internal EventExtra? Extra { get; }

    /// <summary>Gets the values for a store or another node; null if there are none.</summary>
    internal byte[]? EncodedExtra => Extra is { IsEmpty: false } extra ? extra.Encode() : null;

    /// <summary>Returns the topics of the event as selectors of a kind see them, without topics that none of them can select.</summary>
    /// <param name="kind">The kind.</param>
    public IReadOnlyList<TopicView> ViewsOf(SelectorKind kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return Extra?.ViewsOf(kind, Topic) ?? (kind.View(Topic) is { } view ? [view] : []);
    }

    /// <summary>Gets the lock that serialises the first encoding of each wire format.</summary>
    internal Lock Encoding { get; } = new();

    /// <summary>Gets or sets the encoded frames, which all connections share.</summary>
    internal object? Frames
    {
        get => Volatile.Read(ref _frames);
        set => Volatile.Write(ref _frames, value);
    }
}
