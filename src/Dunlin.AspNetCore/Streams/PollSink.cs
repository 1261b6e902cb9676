using Dunlin.Fanout;

namespace Dunlin.Streams;

/// <summary>Collects the frames of one long poll: those of the opening, and one batch. Not thread-safe.</summary>
/// <remarks>The first flush of frames after the opening completes the poll. A batch is at most one page of catch-up, or one round of live
/// delivery.</remarks>
internal sealed class PollSink : IFrameSink
{
    private readonly List<ReadOnlyMemory<byte>> _frames = new(1);
    private EventStreamConnection? _connection; // null during the opening
    private int _opening; // number of frames of the opening

    /// <summary>Gets or sets whether the opening alone completes the poll.</summary>
    public bool AnswersAtOnce { get; set; }

    /// <summary>Gets or sets the epoch of the positions.</summary>
    public uint Epoch { get; set; }

    /// <summary>Gets the frames.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Frames => _frames;

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty)
            _frames.Add(bytes);
    }

    public ValueTask<bool> FlushAsync()
    {
        // A connection that goes live flushes also when it has written nothing.
        if (_frames.Count > _opening)
            _connection?.Close(ConnectionEnd.Answered);
        return new(true);
    }

    public IFrameSink Continue(EventStreamConnection connection)
    {
        _connection = connection;
        _opening = _frames.Count;
        if (AnswersAtOnce)
            connection.Close(ConnectionEnd.Answered);
        return this;
    }

    public void Abort()
    {
        // Nothing is sent before the poll is complete.
    }
}
