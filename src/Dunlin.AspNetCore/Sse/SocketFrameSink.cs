using System.Buffers;
using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Transport;

namespace Dunlin.Sse;

/// <summary>Writes frames to a socket that a stream has taken over from the web server: plain HTTP/1.1 after the response headers. Not
/// thread-safe, except <see cref="Abort"/>.</summary>
/// <remarks>The sink sends on the caller's thread while the TCP window of the client accepts all bytes. A frame that is alone in its flush
/// is sent without a copy per connection; the sink copies only the bytes that the window does not accept. It holds a buffer only between a
/// write and the end of its flush.</remarks>
internal sealed class SocketFrameSink : IFrameSink, ISocketReader
{
    private const int MinBuffer = 4_096;

    // Maximum number of bytes that a client may send. The response announced "Connection: close", so these bytes have no meaning.
    private const int MaxUnasked = 64 * 1024;

    // The chunk of the last frame. The next connection that this thread serves usually gets the same frame.
    [ThreadStatic]
    private static ReadOnlyMemory<byte> _lastFrame;

    [ThreadStatic]
    private static byte[]? _lastChunk;

    [ThreadStatic]
    private static int _lastChunkLength;

    private readonly Socket _socket;
    private readonly OpenSockets _open;
    private readonly EventStreamConnection _connection;
    private byte[]? _buffer; // frames that await a flush, if there is more than one
    private int _length;
    private ReadOnlyMemory<byte> _alone; // the frame that awaits a flush, while it is the only one
    private int _unasked;
    private int _closed;

    private SocketFrameSink(Socket socket, OpenSockets open, EventStreamConnection connection)
    {
        _socket = socket;
        _open = open;
        _connection = connection;
    }

    /// <summary>Takes over the socket; see <see cref="DirectConnection.TryTakeOver(ISocketReader)"/>.</summary>
    /// <returns>The sink, or null if the connection can no longer be taken over.</returns>
    public static SocketFrameSink? TryTakeOver(DirectConnection direct, EventStreamConnection connection)
    {
        var sink = new SocketFrameSink(direct.Socket, direct.Open, connection);
        return direct.TryTakeOver(sink) ? sink : null;
    }

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        if (_buffer is null && _alone.IsEmpty)
        {
            _alone = bytes;
            return;
        }
        BufferAlone();
        Buffer(bytes.Span);
    }

    public ValueTask<bool> FlushAsync()
    {
        try
        {
            return _alone.IsEmpty ? SendBuffer() : SendAlone();
        }
        catch (ObjectDisposedException)
        {
            return new(false);
        }
    }

    public void Abort() => Close(abortive: true);

    /// <summary>Ends the body and closes the socket. This must be the last call.</summary>
    /// <param name="isGone">Whether the client has disconnected, so that no end of the body is sent.</param>
    public void End(bool isGone)
    {
        // All earlier bytes are sent. If the window has no room for these five bytes, they are dropped: nobody monitors this connection any
        // more.
        if (!isGone)
            TrySend(Chunk.Last);
        Close(abortive: false);
        ReturnBuffer();
    }

    ValueTask<bool> ISocketReader.ReadAsync(Socket socket)
    {
        Span<byte> nowhere = stackalloc byte[512];
        var received = socket.Receive(nowhere, SocketFlags.None, out var error);
        if (error is SocketError.WouldBlock or SocketError.IOPending)
            return new(true);
        _unasked += received;
        return new(error == SocketError.Success && received > 0 && _unasked <= MaxUnasked);
    }

    void ISocketReader.OnEnd(Exception? error) => _connection.Close(ConnectionEnd.Gone);

    private ValueTask<bool> SendAlone()
    {
        if (!_lastFrame.Equals(_alone))
        {
            if (_lastChunk is null || _lastChunk.Length < _alone.Length + Chunk.Border)
                _lastChunk = new byte[_alone.Length + Chunk.Border];
            _lastChunkLength = Chunk.Write(_alone.Span, _lastChunk);
            _lastFrame = _alone;
        }
        _alone = default;
        var chunk = _lastChunk.AsSpan(0, _lastChunkLength);
        var sent = Send(chunk);
        if (sent == chunk.Length)
            return new(true);
        if (sent < 0)
            return new(false);
        chunk = chunk[sent..];
        chunk.CopyTo(Room(chunk.Length));
        _length = chunk.Length;
        return SendRestAsync(0);
    }

    private ValueTask<bool> SendBuffer()
    {
        if (_length == 0)
            return new(true);
        var sent = Send(_buffer.AsSpan(0, _length));
        if (sent >= 0 && sent < _length)
            return SendRestAsync(sent);
        ReturnBuffer();
        return new(sent >= 0);
    }

    /// <returns>The number of bytes sent. Negative if the connection is closed.</returns>
    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = _socket.Send(bytes, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => sent,
            SocketError.WouldBlock or SocketError.IOPending => 0,
            _ => -1,
        };
    }

    private void TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Send(bytes);
        }
        catch (ObjectDisposedException)
        {
            // Abort has closed the socket.
        }
    }

    private async ValueTask<bool> SendRestAsync(int from)
    {
        try
        {
            while (from < _length)
                from += await _socket.SendAsync(_buffer.AsMemory(from, _length - from));
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            ReturnBuffer();
        }
    }

    private void BufferAlone()
    {
        if (!_alone.IsEmpty)
            Buffer(_alone.Span);
        _alone = default;
    }

    private void Buffer(ReadOnlySpan<byte> bytes) => _length += Chunk.Write(bytes, Room(bytes.Length + Chunk.Border));

    private Span<byte> Room(int size)
    {
        if (_buffer is null || _length + size > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinBuffer, Math.Max(_length + size, _length * 2)));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            if (_buffer is not null)
                ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        return _buffer.AsSpan(_length);
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
    }

    private void Close(bool abortive)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            DirectConnection.CloseTaken(_socket, _open, abortive);
    }
}
