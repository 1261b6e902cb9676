using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// One fact that happened, as the journal holds it. Immutable and shared by all connections, together with its frames:
/// each wire format encodes it once. Safe for concurrent use.
/// </summary>
public sealed class DunlinEvent
{
    private object? _frames;

    /// <summary>Makes an event that is committed, or (offset 0) one that is transient.</summary>
    public DunlinEvent(Position position, TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin, DateTimeOffset time)
    {
        Position = position;
        Topic = topic;
        Type = type;
        Data = data;
        Origin = origin;
        Time = time;
    }

    /// <summary>Its place in the journal. A transient event has offset 0 and is in no journal.</summary>
    public Position Position { get; }

    /// <summary>The topic.</summary>
    public TopicName Topic { get; }

    /// <summary>What happened.</summary>
    public string Type { get; }

    /// <summary>UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Who caused it.</summary>
    public EventOrigin? Origin { get; }

    /// <summary>When it was appended, by the clock of the node that did.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Whether it is delivered live only, without id and without replay.</summary>
    public bool IsTransient => Position.Offset == 0;

    /// <summary>Makes the transient event of a draft.</summary>
    public static DunlinEvent Transient(EventDraft draft, DateTimeOffset time) =>
        new(default, draft.Topic, draft.Type, draft.Data, draft.Origin, time);

    /// <summary>Serialises the first encoding of each wire format.</summary>
    internal Lock Encoding { get; } = new();

    /// <summary>The encoded frames, which the fan-out keeps with the event so that all connections share them.</summary>
    internal object? Frames
    {
        get => Volatile.Read(ref _frames);
        set => Volatile.Write(ref _frames, value);
    }
}
