using Dunlin.Fanout;
using Dunlin.Sse;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Streams;

/// <summary>A response with one stream, of any protocol: its place in the limits, its sink and its end.</summary>
internal static class StreamResponse
{
    /// <summary>Opens a stream and serves it to its end, or until it has left the web server.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limits">The limits in which the stream takes a place until it ends.</param>
    /// <param name="userId">The user whose place it is.</param>
    /// <param name="open">Opens the stream on a sink. Its failure leaves no connection behind.</param>
    public static async Task ServeAsync(
        HttpContext context,
        StreamLimits limits,
        string userId,
        Func<PipeFrameSink, Task<EventStreamConnection>> open
    )
    {
        var place = limits.Enter(userId, context.Connection.RemoteIpAddress?.ToString() ?? "");
        PipeFrameSink? sink = null;
        var keepsPlace = false;
        try
        {
            sink = new PipeFrameSink(context);
            var connection = await open(sink);
            if (sink.Successor is { } taken)
            {
                keepsPlace = true;
                _ = EndAsync(connection, taken, place);
                return;
            }
            await using var gone = CloseWhenGone(context, connection);
            var end = await connection.Completion;
            place.Dispose();
            if (end != ConnectionEnd.Gone)
                await sink.EndAsync();
        }
        finally
        {
            sink?.Detach();
            if (!keepsPlace)
                place.Dispose();
        }
    }

    /// <summary>Opens a stream over a WebSocket and serves it to its end, or until it has left the web server.</summary>
    /// <inheritdoc cref="ServeAsync"/>
    public static async Task ServeWebSocketAsync(
        HttpContext context,
        StreamLimits limits,
        string userId,
        EventFanout fanout,
        Func<WebSocketOpening, Task<EventStreamConnection>> open
    )
    {
        var place = limits.Enter(userId, context.Connection.RemoteIpAddress?.ToString() ?? "");
        var keepsPlace = false;
        try
        {
            var sink = new WebSocketOpening(context, fanout);
            var connection = await open(sink);
            if (sink.Successor is { } taken)
            {
                keepsPlace = true;
                _ = EndAsync(connection, taken, place);
                return;
            }
            await using var gone = CloseWhenGone(context, connection);
            var end = await connection.Completion;
            place.Dispose();
            await sink.EndAsync(end);
        }
        finally
        {
            if (!keepsPlace)
                place.Dispose();
        }
    }

    /// <summary>Closes a connection when the request is aborted, until the result is disposed.</summary>
    public static CancellationTokenRegistration CloseWhenGone(HttpContext context, EventStreamConnection connection) =>
        context.RequestAborted.UnsafeRegister(static c => ((EventStreamConnection)c!).Close(ConnectionEnd.Gone), connection);

    /// <summary>Gives back what a stream holds that could not be opened.</summary>
    public static void Abandon(EventStreamConnection connection, IFrameSink sink)
    {
        if (sink is PipeFrameSink response)
        {
            response.Detach();
            response.Successor?.Abort();
        }
        (sink as WebSocketOpening)?.Successor?.Abort();
        connection.Abandon();
    }

    /// <summary>Ends a stream that has left the web server, and gives back its place.</summary>
    public static async Task EndAsync(EventStreamConnection connection, SocketSink sink, StreamLimits.ConnectionSlot place)
    {
        var end = await connection.Completion;
        place.Dispose();
        sink.End(end);
    }
}
