using System.Buffers;
using System.IO.Pipelines;
using Dunlin.Fanout;
using Dunlin.Transport;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>Writes frames to a response of the web server, over any protocol that the server supports. Not thread-safe, except
/// <see cref="Abort"/> and <see cref="Detach"/>.</summary>
/// <remarks>The server applies back-pressure: a flush waits while the client does not read. Over HTTP/1.1 each frame is a chunk, so that no
/// chunk border splits a frame. If the stream can write to the socket directly, this sink writes only the opening of the stream; see
/// <see cref="SocketFrameSink"/>.</remarks>
internal sealed class PipeFrameSink : IFrameSink
{
    private readonly HttpResponse _response;
    private HttpContext? _context; // null after the request, because the server reuses the object
    private PipeWriter? _pipe;
    private volatile bool _aborted;

    /// <param name="context">The request.</param>
    /// <param name="mayLeave">Whether a <see cref="SocketFrameSink"/> may take over the socket, if the connection allows it.</param>
    public PipeFrameSink(HttpContext context, bool mayLeave = true)
    {
        _response = context.Response;
        _context = context;
        IsChunked = StreamHeaders.AreChunkedByUs(context);
        Direct = IsChunked && mayLeave ? StreamHeaders.DirectConnection(context) : null;
    }

    /// <summary>Gets whether this sink writes each frame as a chunk.</summary>
    public bool IsChunked { get; }

    /// <summary>Gets the connection whose socket a <see cref="SocketFrameSink"/> can take over, or null if the server keeps the
    /// socket.</summary>
    public DirectConnection? Direct { get; }

    /// <summary>Gets the sink that has taken over the socket, or null.</summary>
    public SocketFrameSink? Successor { get; private set; }

    // Created at the first write, because the headers must be complete before.
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
#pragma warning disable CA1031 // a dead connection may throw any exception
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

    /// <summary>Ends the body. Later writes are invalid.</summary>
    public ValueTask<bool> EndAsync()
    {
        if (_aborted)
            return new(false);
        if (IsChunked)
            Pipe.Write(Chunk.Last);
        return FlushAsync();
    }

    /// <summary>Detaches the sink from the request, which is over. Later calls have no effect.</summary>
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
#pragma warning disable CA1031 // a dead connection may throw any exception
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }
}
