using System.Globalization;
using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Sse;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Reading;

/// <summary>Serves <c>live=sse</c>: the stored data page by page, then each append as it is committed. Thread-safe.</summary>
internal sealed class LiveStreams(
    IJournal journal,
    DurableStreamReader reader,
    EventFanout fanout,
    StreamLimits limits,
    StreamRights rights,
    TimeProvider time,
    IOptions<EventStreamOptions> streams,
    IOptions<DurableStreamOptions> options,
    Revocations? revocations = null
)
{
    public async Task ServeAsync(HttpContext context, StreamName name, Caller caller, StreamState stream, long after)
    {
        await RequestRest.RequireNoneAsync(context);
        await StreamResponse.ServeAsync(context, limits, caller.UserId, sink => OpenAsync(context, name, caller, stream, after, sink));
    }

    private async Task<EventStreamConnection> OpenAsync(
        HttpContext context,
        StreamName name,
        Caller caller,
        StreamState stream,
        long after,
        PipeFrameSink sink
    )
    {
        var kind = stream.KindOf();
        var lead = StreamCursor.LeadOf(context.Request.Query["cursor"], stream.ReadAt);
        var connection = fanout.Open(RequestOf(context, caller, stream.Topic, LiveFormat.For(kind, lead), sink));
        try
        {
            // Rights may have been revoked before the registration. From here on the connection receives changed rights.
            await rights.RequireReadAsync(context, name);
            if (revocations?.IsRevoked(caller) == true)
                throw new DunlinException(ErrorCode.NotSignedIn);
            StreamSockets.CloseWhenUnacknowledged(context, fanout.Options.WriteTimeout);
            Dunlin.Sse.StreamHeaders.Apply(context, connection.Id, sink);
            // The protocol names the type without a character set.
            context.Response.ContentType = "text/event-stream";
            if (kind == StreamKind.Binary)
                context.Response.Headers[StreamFields.Encoding] = "base64";
            await using var aborted = StreamResponse.CloseWhenGone(context, connection);
            var (opening, last) = await SendStoredAsync(context, stream, after, kind, lead, sink);
            if (last.IsEnd)
                connection.Close(ConnectionEnd.Completed);
            await fanout.StartAsync(connection, opening, LongPolls.PositionOf(last.Stream, journal.Head));
            return connection;
        }
        catch
        {
            StreamResponse.Abandon(connection, sink);
            throw;
        }
    }

    /// <summary>Sends all stored pages but the last, at the speed of the reader.</summary>
    /// <returns>The events of the last page, and the page.</returns>
    private async Task<(ReadOnlyMemory<byte> Opening, StreamPage Last)> SendStoredAsync(
        HttpContext context,
        StreamState stream,
        long after,
        StreamKind kind,
        long lead,
        PipeFrameSink sink
    )
    {
        // The clock of the store, as for the times of later appends: a cursor must not go backwards.
        var cursor = (StreamCursor.At(stream.ReadAt) + lead).ToString(CultureInfo.InvariantCulture);
        while (true)
        {
            var page = await reader.ReadAsync(stream, after, options.Value.PageBytes, context.RequestAborted);
            if (page.IsTrimmed)
                throw StreamErrors.Trimmed();
            var buffer = new EventBuffer(kind);
            if (page.Items.Count > 0)
                buffer.Data(page.Items);
            var next = StreamOffset.Format(journal.Head.Epoch, page.Next);
            buffer.Control(next, page.IsEnd ? null : cursor, !page.HasMore);
            if (!page.HasMore)
                return (buffer.Written, page);
            sink.Write(buffer.Written);
            if (!await sink.FlushAsync())
                return (default, page);
            after = page.Next;
        }
    }

    private ConnectionRequest RequestOf(HttpContext context, Caller caller, TopicName topic, LiveFormat format, PipeFrameSink sink)
    {
        var latest = time.GetUtcNow() + options.Value.MaxStreamDuration;
        return new ConnectionRequest(
            caller with
            {
                ExpiresAt = caller.ExpiresAt is { } expires && expires < latest ? expires : latest,
            },
            [topic],
            sink
        )
        {
            Format = format,
            SendsControlFrames = false,
            Heartbeat = streams.Value.Heartbeat,
            RemoteAddress = context.Connection.RemoteIpAddress?.ToString(),
        };
    }
}
