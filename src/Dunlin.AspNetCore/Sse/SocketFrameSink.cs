using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Transport;

namespace Dunlin.Sse;

/// <summary>Writes a stream of plain HTTP/1.1 after the response headers: each frame is a chunk.</summary>
internal sealed class SocketFrameSink : SocketSink
{
    // Maximum number of bytes that a client may send. The response announced "Connection: close", so these bytes have no meaning.
    private const int MaxUnasked = 64 * 1024;

    [ThreadStatic]
    private static EncodedFrame? _lastFrame;

    private readonly EventStreamConnection _connection;
    private int _unasked;

    private SocketFrameSink(Socket socket, OpenSockets open, EventStreamConnection connection)
        : base(socket, open) => _connection = connection;

    protected override int Border => Chunk.Border;

    /// <summary>Takes over the socket; see <see cref="DirectConnection.TryTakeOver(ISocketReader)"/>.</summary>
    /// <returns>The sink, or null if the connection can no longer be taken over.</returns>
    public static SocketFrameSink? TryTakeOver(DirectConnection direct, EventStreamConnection connection)
    {
        var sink = new SocketFrameSink(direct.Socket, direct.Open, connection);
        return direct.TryTakeOver(sink) ? sink : null;
    }

    public override void End(ConnectionEnd end)
    {
        // All earlier bytes are sent. After the client has disconnected, nothing is.
        if (end != ConnectionEnd.Gone)
            TrySend(Chunk.Last);
        Close(abortive: false);
        ReturnBuffer();
    }

    public override ValueTask<bool> ReadAsync(Socket socket)
    {
        Span<byte> nowhere = stackalloc byte[512];
        var received = socket.Receive(nowhere, SocketFlags.None, out var error);
        if (error is SocketError.WouldBlock or SocketError.IOPending)
            return new(true);
        _unasked += received;
        return new(error == SocketError.Success && received > 0 && _unasked <= MaxUnasked);
    }

    public override void OnEnd(Exception? error) => _connection.Close(ConnectionEnd.Gone);

    protected override int Encode(ReadOnlySpan<byte> frame, Span<byte> wire) => Chunk.Write(frame, wire);

    protected override EncodedFrame LastFrame() => _lastFrame ??= new();
}
