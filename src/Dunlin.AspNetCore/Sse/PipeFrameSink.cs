using System.Buffers;
using System.IO.Pipelines;
using Dunlin.Fanout;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>Frames into the pipe of one response. The server applies back-pressure: a flush waits while the peer does not read.</summary>
internal sealed class PipeFrameSink(HttpContext context) : IFrameSink
{
    private readonly PipeWriter _pipe = context.Response.BodyWriter;
    private volatile bool _aborted;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!_aborted)
            _pipe.Write(bytes);
    }

    public ValueTask<bool> FlushAsync()
    {
        if (_aborted)
            return new(false);
        try
        {
            var flush = _pipe.FlushAsync();
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
        context.Abort();
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
