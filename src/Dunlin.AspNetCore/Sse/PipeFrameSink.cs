using System.Buffers;
using System.IO.Pipelines;
using Dunlin.Fanout;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>
/// Frames into the pipe of one response. The server applies back-pressure: a flush waits while the peer does not read.
/// Over HTTP/1.1 every write is a chunk of its own (RFC 9112, section 7.1): cheaper than the server's own chunking, and no
/// frame is ever cut in two by a chunk's border.
/// </summary>
internal sealed class PipeFrameSink(HttpContext context) : IFrameSink
{
    private readonly bool _chunked = StreamHeaders.AreChunkedByUs(context);
    private readonly HttpResponse _response = context.Response;
    private HttpContext? _context = context;   // null once the request is over: the server uses the object again
    private PipeWriter? _pipe;
    private volatile bool _aborted;

    // Taken at the first write: the headers must stand before.
    private PipeWriter Pipe => _pipe ??= _response.BodyWriter;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_aborted || bytes.IsEmpty)
            return;
        if (!_chunked)
        {
            Pipe.Write(bytes);
            return;
        }
        // Eight hexadecimal digits at most, and two line ends.
        var chunk = Pipe.GetSpan(bytes.Length + 12);
        bytes.Length.TryFormat(chunk, out var at, "x", System.Globalization.CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(chunk[at..]);
        bytes.CopyTo(chunk[(at + 2)..]);
        "\r\n"u8.CopyTo(chunk[(at + 2 + bytes.Length)..]);
        Pipe.Advance(at + bytes.Length + 4);
    }

    /// <summary>Ends the body. Nothing may be written afterwards.</summary>
    public ValueTask<bool> EndAsync()
    {
        if (_aborted)
            return new(false);
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
            var flush = Pipe.FlushAsync();
            return flush.IsCompletedSuccessfully ? new(IsOpen(flush.Result)) : FlushSlowlyAsync(flush);
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

    private static async ValueTask<bool> FlushSlowlyAsync(ValueTask<FlushResult> flush)
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
