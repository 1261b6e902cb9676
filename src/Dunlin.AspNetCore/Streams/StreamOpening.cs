using System.Buffers;
using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Streams;

/// <summary>A stream that is being opened: collects its first frames.</summary>
public sealed class StreamOpening
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    internal StreamOpening(EventStreamConnection connection, Position position, bool isResumed)
    {
        Connection = connection;
        Position = position;
        IsResumed = isResumed;
    }

    /// <summary>The connection.</summary>
    public EventStreamConnection Connection { get; }

    /// <summary>Events after this position follow.</summary>
    public Position Position { get; }

    /// <summary>Whether an earlier stream is continued without a gap.</summary>
    public bool IsResumed { get; }

    /// <summary>Writes a frame without an id.</summary>
    public void Write(Action<FrameWriter> write) => _buffer.Write(FrameWriter.Encode(null, write).Span);

    /// <summary>Writes a frame whose id is <see cref="Position"/>, so that a stream that breaks before its first event can be
    /// resumed. Only for a new stream: in a resumed one it would skip what has not been sent yet.</summary>
    public void WriteWithPosition(Action<FrameWriter> write) => _buffer.Write(FrameWriter.Encode(IsResumed ? null : Position, write).Span);

    internal void WriteRaw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    internal ReadOnlyMemory<byte> Bytes => _buffer.WrittenMemory;
}
