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
    private static readonly LiveFormat Json = new(StreamKind.Json);
    private static readonly LiveFormat Text = new(StreamKind.Text);
    private static readonly LiveFormat Binary = new(StreamKind.Binary);

    private readonly StreamKind _kind;

    private LiveFormat(StreamKind kind) => _kind = kind;

    public static LiveFormat For(StreamKind kind) =>
        kind switch
        {
            StreamKind.Json => Json,
            StreamKind.Text => Text,
            _ => Binary,
        };

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
            // The frame is shared by all readers, so its cursor is that of the append.
            buffer.Control(offset, StreamCursor.After(null, source.Time), isUpToDate: true);
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
