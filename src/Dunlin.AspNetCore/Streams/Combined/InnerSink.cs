using Dunlin.Fanout;

namespace Dunlin.Streams.Combined;

/// <summary>
/// One stream of a combined response: what its connection writes to, and how it is closed. The members of <see cref="IFrameSink"/>
/// are for its connection; the others are safe for concurrent use.
/// </summary>
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

    /// <summary>Whose streams the response carries.</summary>
    public string UserId => _body.UserId;

    /// <summary>Its connection, from the moment that nothing can refuse it any more; null before.</summary>
    public EventStreamConnection? Connection => _connection;

    /// <summary>Cancelled when it is closed.</summary>
    public CancellationToken Closing => _closing.Token;

    public bool IsClosing => _closing.IsCancellationRequested;

    /// <summary>Announces that the stream is open; its frames follow.</summary>
    public void Begin(EventStreamConnection connection)
    {
        _connection = connection;
        Write(CombinedBlocks.Opened(Id, connection.Id));
    }

    /// <summary>Ends it without a goodbye: its reader has left, or the response is gone.</summary>
    public void Close()
    {
        // In this order: an opening that is under way sees one or the other.
        _closing.Cancel();
        _connection?.Close(ConnectionEnd.Gone);
    }

    /// <summary>A stream that conflates must not have the kernel queue what a later event supersedes.</summary>
    public void LimitSendBuffer() => _body.LimitSendBuffer();

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty)
            _turn.Frames.Add(bytes);
    }

    public ValueTask<bool> FlushAsync() => _body.WriteAsync(_turn);

    /// <summary>
    /// The peer takes nothing: all streams of the response are cut. One that is being closed only stops waiting for its turn.
    /// </summary>
    public void Abort()
    {
        if (!IsClosing || !_body.TryTakeBack(_turn))
            _body.Abort();
    }
}

/// <summary>What one writer wants to write next. One write at a time.</summary>
/// <param name="stream">Whose frames they are; null for blocks that name their stream themselves.</param>
internal sealed class WriteTurn(InnerSink? stream)
{
    private TaskCompletionSource<bool>? _waiting;

    public InnerSink? Stream { get; } = stream;

    public List<ReadOnlyMemory<byte>> Frames { get; } = [];

    public ValueTask<bool> WaitAsync() => new((_waiting = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task);

    public void Complete(bool isOpen) => _waiting?.TrySetResult(isOpen);
}
