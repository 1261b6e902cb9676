using System.Buffers;
using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Streams;

/// <summary>Collects the first frames of a stream. Not thread-safe: for use inside <see cref="StreamRequest.OnOpen"/>.</summary>
public sealed class StreamOpening
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    internal StreamOpening(EventStreamConnection connection, Position position, bool isResumed)
    {
        Connection = connection;
        Position = position;
        IsResumed = isResumed;
    }

    /// <summary>Gets the connection.</summary>
    public EventStreamConnection Connection { get; }

    /// <summary>Gets the position after which events follow.</summary>
    public Position Position { get; }

    /// <summary>Gets whether the stream continues an earlier one without a gap.</summary>
    public bool IsResumed { get; }

    /// <summary>Writes a frame without an id.</summary>
    /// <param name="write">Writes the frame.</param>
    public void Write(Action<FrameWriter> write) => _buffer.Write(FrameWriter.Encode(null, write).Span);

    /// <summary>Writes a frame with the id <see cref="Position"/> to a new stream, and without an id to a resumed stream.</summary>
    /// <param name="write">Writes the frame.</param>
    /// <remarks>The id lets a client resume a stream that breaks before its first event. In a resumed stream, the id would skip events that
    /// have not been sent yet.</remarks>
    public void WriteWithPosition(Action<FrameWriter> write) => _buffer.Write(FrameWriter.Encode(IsResumed ? null : Position, write).Span);

    internal void WriteRaw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    internal ReadOnlyMemory<byte> Bytes => _buffer.WrittenMemory;
}
