using Dunlin.Fanout;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// One fact that happened, as the journal holds it. Immutable and shared by all connections, together with its frames:
/// each wire format encodes it once. Safe for concurrent use.
/// </summary>
public sealed class Event
{
    private readonly Lock _encoding = new();
    private FrameSlot? _frames;

    /// <summary>Makes an event that is committed, or (offset 0) one that is transient.</summary>
    public Event(Position position, TopicName topic, string type, ReadOnlyMemory<byte> data, EventOrigin? origin, DateTimeOffset time)
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
    public static Event Transient(EventDraft draft, DateTimeOffset time) =>
        new(default, draft.Topic, draft.Type, draft.Data, draft.Origin, time);

    /// <summary>The bytes of this event in one wire format, encoded at the first call and shared ever after.</summary>
    /// <param name="format">The format.</param>
    /// <param name="failed">Told, once for each event and format, of a format that throws.</param>
    /// <returns>An empty frame where the format leaves this event out or throws, and where the type belongs to the engine and the
    /// event does not.</returns>
    internal ReadOnlyMemory<byte> FrameFor(IWireFormat format, Action<Event, IWireFormat, Exception>? failed = null)
    {
        for (var slot = Volatile.Read(ref _frames); slot is not null; slot = slot.Next)
        {
            if (ReferenceEquals(slot.Format, format))
                return slot.Bytes;
        }
        return Encode(format, failed);
    }

    private ReadOnlyMemory<byte> Encode(IWireFormat format, Action<Event, IWireFormat, Exception>? failed)
    {
        lock (_encoding)
        {
            for (var slot = _frames; slot is not null; slot = slot.Next)
            {
                if (ReferenceEquals(slot.Format, format))
                    return slot.Bytes;
            }
            var bytes = ReservedTypes.IsForged(this) ? ReadOnlyMemory<byte>.Empty : TryEncode(format, failed);
            Volatile.Write(ref _frames, new FrameSlot(format, bytes, _frames));
            return bytes;
        }
    }

    // One event that a format cannot write must not end the loop that delivers all others.
    private ReadOnlyMemory<byte> TryEncode(IWireFormat format, Action<Event, IWireFormat, Exception>? failed)
    {
        try
        {
            return FrameWriter.Encode(format, this);
        }
#pragma warning disable CA1031 // a format is code of the application
        catch (Exception error)
#pragma warning restore CA1031
        {
            failed?.Invoke(this, format, error);
            return ReadOnlyMemory<byte>.Empty;
        }
    }

    /// <summary>One encoded frame; a list, because an event rarely wears more than two formats.</summary>
    private sealed record FrameSlot(IWireFormat Format, ReadOnlyMemory<byte> Bytes, FrameSlot? Next);
}
