using System.Text;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Sse;
using Dunlin.Transport;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Streams;

/// <summary>The response of a long poll: its place in the limits, its wait outside the web server, and its body.</summary>
/// <remarks>The body has the frames of a stream. After a complete poll it ends with a block that has only an <c>id</c>: the position up to
/// which the client now has all events.</remarks>
internal static class PollResponse
{
    /// <summary>Opens the connection of a poll and answers it, or detaches the response until it is complete.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limits">The limits in which the poll takes a place until it is answered.</param>
    /// <param name="userId">The user whose place it is.</param>
    /// <param name="fanout">The fan-out of the connection.</param>
    /// <param name="open">Opens the connection on a sink. Its failure leaves no connection behind.</param>
    public static async Task ServeAsync(
        HttpContext context,
        StreamLimits limits,
        string userId,
        EventFanout fanout,
        Func<PollSink, Task<EventStreamConnection>> open
    )
    {
        var place = limits.Enter(userId, context.Connection.RemoteIpAddress?.ToString() ?? "");
        var keepsPlace = false;
        try
        {
            var sink = new PollSink();
            var connection = await open(sink);
            try
            {
                StreamHeaders.Apply(context.Response);
                context.Response.Headers["Dunlin-Connection"] = connection.Id;
                if (!connection.Completion.IsCompleted && await DetachAsync(context, connection) is { } detached)
                {
                    keepsPlace = true;
                    _ = AnswerAsync(connection, sink, detached, place, fanout);
                    return;
                }
                await using var gone = StreamResponse.CloseWhenGone(context, connection);
                var body = Body(sink, connection, await connection.Completion);
                place.Dispose();
                await WriteAsync(context.Response, body);
            }
            catch
            {
                connection.Close(ConnectionEnd.Gone);
                throw;
            }
        }
        finally
        {
            if (!keepsPlace)
                place.Dispose();
        }
    }

    private static ValueTask<DetachedResponse?> DetachAsync(HttpContext context, EventStreamConnection connection) =>
        DetachedResponse.TryDetachAsync(context, () => connection.Close(ConnectionEnd.Gone));

    private static async Task AnswerAsync(
        EventStreamConnection connection,
        PollSink sink,
        DetachedResponse response,
        StreamLimits.ConnectionSlot place,
        EventFanout fanout
    )
    {
        var end = await connection.Completion;
        place.Dispose();
        if (end == ConnectionEnd.Gone)
            response.Abort();
        else
            await response.SendAsync(200, [], Body(sink, connection, end), fanout.Options.WriteTimeout, fanout.Time);
    }

    private static async Task WriteAsync(HttpResponse response, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        response.ContentLength = body.Sum(static part => (long)part.Length);
        foreach (var part in body)
            await response.BodyWriter.WriteAsync(part, response.HttpContext.RequestAborted);
    }

    // The position covers more than the ids of the frames: events of other topics, and events that the caller may not read. Other ends drop
    // frames, so only the ids of the sent frames are valid then.
    private static IReadOnlyList<ReadOnlyMemory<byte>> Body(PollSink sink, EventStreamConnection connection, ConnectionEnd end) =>
        end == ConnectionEnd.Answered
            ? [.. sink.Frames, Encoding.ASCII.GetBytes($"id: {new Position(sink.Epoch, connection.LastSentOffset)}\n\n")]
            : sink.Frames;
}
