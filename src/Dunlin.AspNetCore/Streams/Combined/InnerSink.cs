using Dunlin.Fanout;

namespace Dunlin.Streams.Combined;

/// <summary>One stream of a combined response: the sink of its connection, and the means to close it. The connection calls the members of
/// <see cref="IFrameSink"/>, one at a time. The other members are thread-safe.</summary>
internal sealed class InnerSink : IFrameSink
{
    private readonly CombinedBody _body;
    private readonly CancellationTokenSource _closing = new();
    private readonly WriteTurn _turn;
    private volatile EventStreamConnection? _connection;

    public InnerSink(CombinedBody body, string id)
    {
        _body = body;
        Id = id;
        Marker = CombinedBlocks.Marker(id);
        _turn = new WriteTurn(this);
    }

    public string Id { get; }

    public ReadOnlyMemory<byte> Marker { get; }

    /// <summary>Gets the user of the combined response.</summary>
    public string UserId => _body.UserId;

    /// <summary>Gets the connection after the last check has passed, or null before.</summary>
    public EventStreamConnection? Connection => _connection;

    /// <summary>Gets a token that is cancelled when the stream is closed.</summary>
    public CancellationToken Closing => _closing.Token;

    public bool IsClosing => _closing.IsCancellationRequested;

    /// <summary>Announces that the stream is open. Its frames follow.</summary>
    public void Begin(EventStreamConnection connection)
    {
        _connection = connection;
        Write(CombinedBlocks.Opened(Id, connection.Id));
    }

    /// <summary>Ends the stream without a goodbye, because the client has closed it or the response has ended.</summary>
    public void Close()
    {
        // In this order, so that a concurrent opening sees either the cancelled token or the closed connection.
        _closing.Cancel();
        _connection?.Close(ConnectionEnd.Gone);
    }

    /// <summary>Limits the kernel's send buffer for a conflating stream: events in that buffer can no longer be superseded.</summary>
    public void LimitSendBuffer() => _body.LimitSendBuffer();

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty)
            _turn.Frames.Add(bytes);
    }

    public ValueTask<bool> FlushAsync() => _body.WriteAsync(_turn);

    /// <summary>Aborts the whole response, because the client does not read. If this stream is closing, it only withdraws from the queue of
    /// writers.</summary>
    public void Abort()
    {
        if (!IsClosing || !_body.TryTakeBack(_turn))
            _body.Abort();
    }
}

/// <summary>The frames of one writer's next write. One write at a time.</summary>
/// <param name="stream">The stream of the frames. Null for blocks that name their stream.</param>
internal sealed class WriteTurn(InnerSink? stream)
{
    private TaskCompletionSource<bool>? _waiting;

    public InnerSink? Stream { get; } = stream;

    public List<ReadOnlyMemory<byte>> Frames { get; } = [];

    public ValueTask<bool> WaitAsync() => new((_waiting = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task);

    public void Complete(bool isOpen) => _waiting?.TrySetResult(isOpen);
}
