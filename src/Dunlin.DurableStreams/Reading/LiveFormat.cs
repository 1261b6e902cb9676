using System.Collections.Concurrent;
using System.Globalization;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.DurableStreams.Reading;

/// <summary>Writes the appends of a stream as the events <c>data</c> and <c>control</c>. A closed or deleted stream ends.</summary>
/// <remarks>
/// The pieces of a large message are consecutive events of the journal. Together their frames are one event: only the last ends it.
/// A reader that loses its connection in between has no control event for it, and receives the whole message again.
/// </remarks>
internal sealed class LiveFormat : IRawFormat, IEndingFormat
{
    // At most 55 for each kind.
    private static readonly ConcurrentDictionary<(StreamKind Kind, long Lead), LiveFormat> Known = new();

    private readonly StreamKind _kind;
    private readonly long _lead;

    private LiveFormat(StreamKind kind, long lead) => (_kind, _lead) = (kind, lead);

    /// <summary>Returns the format of all readers of this kind whose cursors are equally far ahead of the time.</summary>
    public static LiveFormat For(StreamKind kind, long lead) =>
        Known.GetOrAdd((kind, lead), static key => new LiveFormat(key.Kind, key.Lead));

    public bool EndsAfter(DunlinEvent source) => source.Type is StreamEvents.ClosedType or StreamEvents.EndedType;

    public ReadOnlyMemory<byte> Encode(DunlinEvent source)
    {
        var buffer = new EventBuffer(_kind);
        if (source.Type == StreamEvents.ClosedType)
        {
            buffer.Control(StreamOffset.Format(source.Position.Epoch, StreamEvents.TailOf(source)), cursor: null, isUpToDate: true);
            return buffer.Written;
        }
        if (source.Type != StreamEvents.EventType)
            return default;
        var piece = StreamEvents.PieceOf(source);
        var (isStart, isEnd) = (piece is null or StreamEvents.FirstPiece, piece is null or StreamEvents.LastPiece);
        if (isStart)
            buffer.Begin();
        buffer.Piece(source.Data.Span, isStart, isEnd);
        if (isEnd)
        {
            buffer.End();
            var offset = StreamOffset.Format(source.Position.Epoch, source.Position.Offset);
            // The frame is shared by readers, so its cursor depends on the time of the append. Cursors never go backwards: commit times
            // rise, and the lead of a reader is constant.
            var cursor = (StreamCursor.At(source.Time) + _lead).ToString(CultureInfo.InvariantCulture);
            buffer.Control(offset, cursor, isUpToDate: true);
        }
        return buffer.Written;
    }
}

/// <summary>Writes one byte for each event of a stream, for a reader that only waits for one.</summary>
internal sealed class WakeFormat : IRawFormat
{
    private static readonly ReadOnlyMemory<byte> Signal = new byte[1];

    private WakeFormat() { }

    public static WakeFormat Instance { get; } = new();

    public ReadOnlyMemory<byte> Encode(DunlinEvent source) =>
        source.Type is StreamEvents.EventType or StreamEvents.ClosedType or StreamEvents.EndedType ? Signal : default;
}
