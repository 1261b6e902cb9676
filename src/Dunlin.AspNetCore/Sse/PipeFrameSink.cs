using System.Buffers;
using System.IO.Pipelines;
using Dunlin.Fanout;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>
/// Frames into one response. The server applies back-pressure: a flush waits while the peer does not read. Over HTTP/1.1
/// every frame is a chunk of its own (RFC 9112, section 7.1), so that no frame is ever cut in two by a chunk's border. Where
/// nothing stands between the response and the socket, the head goes through the server and the frames go round it: a frame
/// that is alone in its flush is sent from the memory that it shares with all other connections.
/// </summary>
internal sealed class PipeFrameSink(HttpContext context) : IFrameSink
{
    // Eight hexadecimal digits at most, and two line ends.
    private const int ChunkBorder = 12;

    // The chunk of the last frame: the next connection that this thread serves usually gets the same frame.
    [ThreadStatic]
    private static ReadOnlyMemory<byte> t_frame;
    [ThreadStatic]
    private static byte[]? t_chunk;
    [ThreadStatic]
    private static int t_chunkLength;

    private readonly bool _chunked = StreamHeaders.AreChunkedByUs(context);
    private readonly SocketPipeWriter? _direct = StreamHeaders.DirectOutput(context);
    private readonly HttpResponse _response = context.Response;
    private HttpContext? _context = context;   // null once the request is over: the server uses the object again
    private PipeWriter? _pipe;                  // where frames are buffered
    private SocketPipeWriter? _socket;          // the same, once the head has left and frames go round the server
    private bool _buffered;                     // something waits in it for the flush
    private ReadOnlyMemory<byte> _alone;        // written and not buffered, as long as it is the only one
    private volatile bool _aborted;

    /// <summary>Whether frames go round the server by now.</summary>
    public bool IsDirect => _socket is not null;

    // Taken at the first write: the headers must stand before.
    private PipeWriter Pipe => _pipe ??= _response.BodyWriter;

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (_aborted || bytes.IsEmpty)
            return;
        if (_socket is not null && !_buffered && _alone.IsEmpty)
        {
            _alone = bytes;
            return;
        }
        BufferAlone();
        Buffer(bytes.Span);
    }

    /// <summary>Ends the body. Nothing may be written afterwards.</summary>
    public ValueTask<bool> EndAsync()
    {
        if (_aborted)
            return new(false);
        BufferAlone();
        if (_chunked)
            Pipe.Write("0\r\n\r\n"u8);
        return FlushAsync();
    }

    public ValueTask<bool> FlushAsync()
    {
        if (_aborted)
            return new(false);
        try
        {
            _buffered = false;
            var flush = _alone.IsEmpty ? Pipe.FlushAsync() : SendAlone();
            if (!flush.IsCompletedSuccessfully)
                return FlushSlowlyAsync(flush);
            Shorten();
            return new(IsOpen(flush.Result));
        }
#pragma warning disable CA1031 // whatever a dead connection throws, it is gone
        catch (Exception)
#pragma warning restore CA1031
        {
            return new(false);
        }
    }

    public void Abort()
    {
        _aborted = true;
        Interlocked.Exchange(ref _context, null)?.Abort();
    }

    /// <summary>The request is over: from here on nothing of it is touched, whoever still calls.</summary>
    public void Detach()
    {
        _aborted = true;
        Interlocked.Exchange(ref _context, null);
    }

    private static bool IsOpen(FlushResult result) => !result.IsCompleted && !result.IsCanceled;

    private static int WriteChunk(ReadOnlySpan<byte> bytes, Span<byte> chunk)
    {
        bytes.Length.TryFormat(chunk, out var at, "x", System.Globalization.CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(chunk[at..]);
        bytes.CopyTo(chunk[(at + 2)..]);
        "\r\n"u8.CopyTo(chunk[(at + 2 + bytes.Length)..]);
        return at + bytes.Length + 4;
    }

    private void Buffer(ReadOnlySpan<byte> bytes)
    {
        _buffered = true;
        if (_chunked)
            Pipe.Advance(WriteChunk(bytes, Pipe.GetSpan(bytes.Length + ChunkBorder)));
        else
            Pipe.Write(bytes);
    }

    private void BufferAlone()
    {
        if (!_alone.IsEmpty)
            Buffer(_alone.Span);
        _alone = default;
    }

    private ValueTask<FlushResult> SendAlone()
    {
        if (!t_frame.Equals(_alone))
        {
            if (t_chunk is null || t_chunk.Length < _alone.Length + ChunkBorder)
                t_chunk = new byte[_alone.Length + ChunkBorder];
            t_chunkLength = WriteChunk(_alone.Span, t_chunk);
            t_frame = _alone;
        }
        _alone = default;
        return _socket!.SendAsync(t_chunk.AsSpan(0, t_chunkLength));
    }

    /// <summary>The head of the response has left through the server: what follows need not.</summary>
    private void Shorten()
    {
        if (_direct is not null)
            _pipe = _socket = _direct;
    }

    private async ValueTask<bool> FlushSlowlyAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            var result = await flush;
            Shorten();
            return IsOpen(result);
        }
#pragma warning disable CA1031 // see above
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }
}
