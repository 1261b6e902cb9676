using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Scheduling;
using Dunlin.Transport;

namespace Dunlin.Sse;

/// <summary>Writes a stream as text messages of a WebSocket to a socket that has left the web server. States:</summary>
/// <code>
/// open -> closed by the client (the close frame is answered) or by an error
/// open -> ending (close frame sent; waits for the client's close frame, or 5 s) -> closed
/// </code>
internal sealed class WebSocketSink : SocketSink
{
    // Maximum number of bytes that a client may send after the close frame of the server.
    private const int MaxUnasked = 64 * 1024;

    // The time for the client to answer the close frame. Closing at once could discard bytes that it has not received yet.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    [ThreadStatic]
    private static EncodedFrame? _lastFrame;

    private readonly EventFanout _fanout;
    private readonly WebSocketInput _input = new();
    private readonly Action<ReadOnlyMemory<byte>> _pong;
    private volatile EventStreamConnection? _connection;
    private volatile bool _hasEnded; // no more bytes arrive
    private volatile bool _isEnding;
    private Pong? _unsent; // the answer to a ping that arrived before the connection was attached
    private int _unasked;

    private readonly bool _isEarly;

    /// <param name="socket">The socket.</param>
    /// <param name="open">The counter of open sockets.</param>
    /// <param name="fanout">The fan-out of the stream.</param>
    /// <param name="early">Bytes that the client has sent before the WebSocket was accepted. A client must wait, so they end the
    /// stream.</param>
    public WebSocketSink(Socket socket, OpenSockets open, EventFanout fanout, ReadOnlyMemory<byte> early)
        : base(socket, open)
    {
        _fanout = fanout;
        _isEarly = !early.IsEmpty;
        _pong = Answer;
    }

    protected override int Border => WebSocketFrames.Border;

    /// <summary>Sets the connection, which the sink closes when the client is gone. Call once.</summary>
    public void Attach(EventStreamConnection connection)
    {
        _connection = connection;
        SendUnsent(connection);
        if (_isEarly || _hasEnded)
            connection.Close(ConnectionEnd.Gone);
    }

    public override void End(ConnectionEnd end)
    {
        ReturnBuffer();
        var isGone = end == ConnectionEnd.Gone;
        if (isGone && _input.CloseCode is null)
        {
            Close(abortive: false);
            return;
        }
        _isEnding = true;
        TrySend(WebSocketFrames.Close(_input.CloseCode ?? WebSocketFrames.CodeOf(end)));
        if (_hasEnded)
        {
            Close(abortive: false);
            return;
        }
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The client has reset the connection: the receiver reports it.
        }
        _fanout.Wheel.Schedule(new Late(this), CloseTimeout);
    }

    public override ValueTask<bool> ReadAsync(Socket socket)
    {
        Span<byte> buffer = stackalloc byte[512];
        var received = socket.Receive(buffer, SocketFlags.None, out var error);
        if (error is SocketError.WouldBlock or SocketError.IOPending)
            return new(true);
        if (error != SocketError.Success || received == 0)
            return new(false);
        if (_isEnding)
        {
            _unasked += received;
            return new(_unasked <= MaxUnasked);
        }
        _input.Receive(buffer[..received], _pong);
        return new(_input.CloseCode is null);
    }

    public override void OnEnd(Exception? error)
    {
        _hasEnded = true;
        if (_isEnding)
            Close(abortive: false);
        else
            _connection?.Close(ConnectionEnd.Gone);
    }

    protected override int Encode(ReadOnlySpan<byte> frame, Span<byte> wire) => WebSocketFrames.Write(frame, wire);

    protected override EncodedFrame LastFrame() => _lastFrame ??= new();

    // RFC 6455, section 5.5.3: a pong for the most recent ping is enough.
    private void Answer(ReadOnlyMemory<byte> pong)
    {
        if (_connection is null)
            Volatile.Write(ref _unsent, new Pong(pong));
        else
            _connection.Send(pong);
        if (_connection is { } attached)
            SendUnsent(attached);
    }

    private void SendUnsent(EventStreamConnection connection)
    {
        if (Interlocked.Exchange(ref _unsent, null) is { } pong)
            connection.Send(pong.Frame);
    }

    private sealed record Pong(ReadOnlyMemory<byte> Frame);

    private sealed class Late(WebSocketSink sink) : WheelEntry
    {
        protected internal override void OnDue() => sink.Close(abortive: true);
    }
}
