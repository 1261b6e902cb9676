using System.Buffers;
using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Transport;

namespace Dunlin.Sse;

/// <summary>Writes frames to a socket that a stream has taken over from the web server. Not thread-safe, except
/// <see cref="Abort"/>.</summary>
/// <remarks>The sink sends on the caller's thread while the TCP window of the client accepts all bytes. A frame that is alone in its flush
/// is sent without a copy per connection; the sink copies only the bytes that the window does not accept. It holds a buffer only between a
/// write and the end of its flush.</remarks>
internal abstract class SocketSink : IFrameSink, ISocketReader
{
    private const int MinBuffer = 4_096;

    private byte[]? _buffer; // frames that await a flush, if there is more than one
    private int _length;
    private ReadOnlyMemory<byte> _alone; // the frame that awaits a flush, while it is the only one
    private int _closed;

    protected SocketSink(Socket socket, OpenSockets open)
    {
        Socket = socket;
        Open = open;
    }

    protected Socket Socket { get; }

    /// <summary>Gets the maximum overhead of a frame on the wire in bytes.</summary>
    protected abstract int Border { get; }

    private OpenSockets Open { get; }

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

    /// <summary>Adds encoded bytes before the first frame, such as the head of the response.</summary>
    public void Begin(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    public void Abort() => Close(abortive: true);

    /// <inheritdoc/>
    public abstract ValueTask<bool> ReadAsync(Socket socket);

    /// <inheritdoc/>
    public abstract void OnEnd(Exception? error);

    /// <summary>Ends the response and closes the socket. This must be the last call.</summary>
    /// <param name="end">The reason for the end of the connection.</param>
    public abstract void End(ConnectionEnd end);

    /// <summary>Encodes a frame for the wire.</summary>
    /// <returns>The length in bytes.</returns>
    protected abstract int Encode(ReadOnlySpan<byte> frame, Span<byte> wire);

    /// <summary>Returns the last encoded frame of this thread and kind.</summary>
    protected abstract EncodedFrame LastFrame();

    /// <summary>Sends bytes, or drops them if the window has no room: nobody monitors the connection any more.</summary>
    protected void TrySend(ReadOnlySpan<byte> bytes)
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

    protected void Close(bool abortive)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            DirectConnection.CloseTaken(Socket, Open, abortive);
    }

    protected void ReturnBuffer()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
    }

    private ValueTask<bool> SendAlone()
    {
        var last = LastFrame();
        if (!last.Frame.Equals(_alone))
        {
            if (last.Wire.Length < _alone.Length + Border)
                last.Wire = new byte[_alone.Length + Border];
            last.Length = Encode(_alone.Span, last.Wire);
            last.Frame = _alone;
        }
        _alone = default;
        var wire = last.Wire.AsSpan(0, last.Length);
        var sent = Send(wire);
        if (sent == wire.Length)
            return new(true);
        if (sent < 0)
            return new(false);
        wire = wire[sent..];
        wire.CopyTo(Room(wire.Length));
        _length = wire.Length;
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
        var sent = Socket.Send(bytes, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => sent,
            SocketError.WouldBlock or SocketError.IOPending => 0,
            _ => -1,
        };
    }

    private async ValueTask<bool> SendRestAsync(int from)
    {
        try
        {
            while (from < _length)
                from += await Socket.SendAsync(_buffer.AsMemory(from, _length - from));
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

    private void Buffer(ReadOnlySpan<byte> bytes) => _length += Encode(bytes, Room(bytes.Length + Border));

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

    /// <summary>The encoded bytes of a frame. The next connection that a thread serves usually gets the same frame.</summary>
    protected sealed class EncodedFrame
    {
        public ReadOnlyMemory<byte> Frame { get; set; }

        public byte[] Wire { get; set; } = [];

        public int Length { get; set; }
    }
}
