using System.Buffers;
using System.IO.Pipelines;
using Dunlin.Fanout;
using Dunlin.Transport;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>
/// Frames into one response of the web server, over HTTP/1.1 with TLS, HTTP/2, or whatever else it serves. The server applies
/// back-pressure: a flush waits while the peer does not read. Over HTTP/1.1 every frame is a chunk of its own, so that no frame is
/// ever cut in two by a chunk's border. Where nothing stands between the response and the socket, only the opening goes this way:
/// see <see cref="SocketFrameSink"/>.
/// </summary>
internal sealed class PipeFrameSink : IFrameSink
{
    private readonly HttpResponse _response;
    private HttpContext? _context; // null once the request is over: the server uses the object again
    private PipeWriter? _pipe;
    private volatile bool _aborted;

    /// <param name="context">The request.</param>
    /// <param name="mayLeave">Whether the stream may leave the web server with its socket, where nothing stands between.</param>
    public PipeFrameSink(HttpContext context, bool mayLeave = true)
    {
        _response = context.Response;
        _context = context;
        IsChunked = StreamHeaders.AreChunkedByUs(context);
        Direct = IsChunked && mayLeave ? StreamHeaders.DirectConnection(context) : null;
    }

    /// <summary>Whether every frame is written as a chunk here.</summary>
    public bool IsChunked { get; }

    /// <summary>The connection whose socket can be taken over; null where the server keeps it.</summary>
    public DirectConnection? Direct { get; }

    /// <summary>The sink that has taken the socket over, if one has.</summary>
    public SocketFrameSink? Successor { get; private set; }

    // Taken at the first write: the headers must stand before.
    private PipeWriter Pipe => _pipe ??= _response.BodyWriter;

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (_aborted || bytes.IsEmpty)
            return;
        if (IsChunked)
            Pipe.Advance(Chunk.Write(bytes.Span, Pipe.GetSpan(bytes.Length + Chunk.Border)));
        else
            Pipe.Write(bytes.Span);
    }

    public ValueTask<bool> FlushAsync()
    {
        if (_aborted)
            return new(false);
        try
        {
            var flush = Pipe.FlushAsync();
            return flush.IsCompletedSuccessfully ? new(IsOpen(flush.Result)) : WaitAsync(flush);
        }
#pragma warning disable CA1031 // whatever a dead connection throws, it is gone
        catch (Exception)
#pragma warning restore CA1031
        {
            return new(false);
        }
    }

    public IFrameSink Continue(EventStreamConnection connection) =>
        !_aborted && Direct is { } direct && SocketFrameSink.TryTakeOver(direct, connection) is { } taken ? Successor = taken : this;

    public void Abort()
    {
        _aborted = true;
        Interlocked.Exchange(ref _context, null)?.Abort();
    }

    /// <summary>Ends the body. Nothing may be written afterwards.</summary>
    public ValueTask<bool> EndAsync()
    {
        if (_aborted)
            return new(false);
        if (IsChunked)
            Pipe.Write(Chunk.Last);
        return FlushAsync();
    }

    /// <summary>The request is over: from here on nothing of it is touched, whoever still calls.</summary>
    public void Detach()
    {
        _aborted = true;
        Interlocked.Exchange(ref _context, null);
    }

    private static bool IsOpen(FlushResult result) => !result.IsCompleted && !result.IsCanceled;

    private static async ValueTask<bool> WaitAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            return IsOpen(await flush);
        }
#pragma warning disable CA1031 // see above
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }
}
