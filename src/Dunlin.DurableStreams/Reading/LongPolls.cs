using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Reading;

/// <summary>A long-poll at the tail of a stream. Immutable.</summary>
/// <param name="Topic">The topic of the stream.</param>
/// <param name="Caller">The reader.</param>
/// <param name="After">The offset to continue after.</param>
/// <param name="Cursor">The cursor that the client sent; null for none.</param>
internal sealed record Poll(TopicName Topic, Caller Caller, long After, string? Cursor);

/// <summary>Serves long-polls that wait. Thread-safe.</summary>
/// <remarks>
/// A waiting request is a connection of the fan-out. If nothing stands between response and socket, it leaves the web server and costs as
/// much as an idle event stream. The wait ends with the first event of the stream, at the time limit, or when access is revoked.
/// </remarks>
internal sealed partial class LongPolls(
    IJournal journal,
    DurableStreamReader reader,
    EventFanout fanout,
    StreamLimits limits,
    StreamRights rights,
    TimeProvider time,
    IOptions<DurableStreamOptions> options,
    ILogger<LongPolls> logger
)
{
    /// <summary>Waits, and answers.</summary>
    /// <param name="context">The request.</param>
    /// <param name="poll">The long-poll.</param>
    /// <param name="stream">The stream as it was found.</param>
    public async Task ServeAsync(HttpContext context, Poll poll, StreamState stream)
    {
        await RequestRest.RequireNoneAsync(context);
        var address = context.Connection.RemoteIpAddress?.ToString();
        var place = limits.Enter(poll.Caller.UserId, address ?? "");
        var keepsPlace = false;
        try
        {
            var connection = fanout.Open(RequestOf(poll, address));
            try
            {
                await fanout.StartAsync(connection, default, PositionOf(stream, journal.Head));
                if (
                    !connection.Completion.IsCompleted
                    && await DetachedResponse.TryDetachAsync(context, () => connection.Close(ConnectionEnd.Gone)) is { } detached
                )
                {
                    keepsPlace = true;
                    _ = AnswerAsync(connection, poll, detached, place);
                    return;
                }
                await using var gone = StreamResponse.CloseWhenGone(context, connection);
                await connection.Completion;
                var answer = await ReadAsync(poll, context.RequestAborted);
                place.Dispose();
                await answer.WriteAsync(context.Response, context.RequestAborted);
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

    /// <summary>Returns the position after which events of the stream are new to one who has found it.</summary>
    public static Position PositionOf(StreamState stream, Position head) =>
        head with
        {
            Offset = Math.Max(stream.Row.LastEvent, stream.Row.StartsAfter),
        };

    private async Task AnswerAsync(
        EventStreamConnection connection,
        Poll poll,
        DetachedResponse response,
        StreamLimits.ConnectionSlot place
    )
    {
        var end = await connection.Completion;
        if (end == ConnectionEnd.Gone)
        {
            place.Dispose();
            response.Abort();
            return;
        }
        var answer = await FindAnswerAsync(poll);
        place.Dispose();
        await response.SendAsync(answer.Status, answer.Headers, answer.Body, fanout.Options.WriteTimeout, time);
    }

    /// <summary>Reads the answer. A failure becomes an answer without data, so that the client asks again and gets the error.</summary>
    private async Task<ReadAnswer> FindAnswerAsync(Poll poll)
    {
        try
        {
            return await ReadAsync(poll, CancellationToken.None);
        }
#pragma warning disable CA1031 // the error is that of the next request, which can describe it
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(error);
            return new ReadAnswer(
                StatusCodes.Status204NoContent,
                [
                    new(StreamFields.NextOffset, StreamOffset.Format(journal.Head.Epoch, poll.After)),
                    new(StreamFields.UpToDate, StreamFields.True),
                    new(StreamFields.Cursor, StreamCursor.After(poll.Cursor, time.GetUtcNow())),
                    new("Cache-Control", "no-store"),
                ],
                []
            );
        }
    }

    private async Task<ReadAnswer> ReadAsync(Poll poll, CancellationToken cancellationToken)
    {
        await rights.RequireReadAsync(poll.Caller, poll.Topic, cancellationToken);
        var stream = (await reader.FindAsync(poll.Topic, cancellationToken)).Living();
        var page = await reader.ReadAsync(stream, poll.After, options.Value.PageBytes, cancellationToken);
        return page.IsTrimmed
            ? throw StreamErrors.Trimmed()
            : ReadAnswer.Of(page, journal.Head.Epoch, poll.After, StreamCursor.After(poll.Cursor, time.GetUtcNow()));
    }

    private ConnectionRequest RequestOf(Poll poll, string? address)
    {
        var latest = time.GetUtcNow() + options.Value.LongPollTimeout;
        return new ConnectionRequest(
            poll.Caller with
            {
                ExpiresAt = poll.Caller.ExpiresAt is { } expires && expires < latest ? expires : latest,
            },
            [poll.Topic],
            new WakeSink()
        )
        {
            Format = WakeFormat.Instance,
            SendsControlFrames = false,
            Heartbeat = TimeSpan.Zero,
            RemoteAddress = address,
        };
    }

    [LoggerMessage(2480, LogLevel.Debug, "A long-poll could not be answered with data; the client asks again and gets the error.")]
    private partial void LogFailed(Exception error);

    /// <summary>Ends its connection with the first frame.</summary>
    private sealed class WakeSink : IFrameSink
    {
        private EventStreamConnection? _connection;
        private bool _isWoken;

        public void Write(ReadOnlyMemory<byte> bytes) => _isWoken |= !bytes.IsEmpty;

        public ValueTask<bool> FlushAsync()
        {
            if (_isWoken)
                _connection?.Close(ConnectionEnd.Completed);
            return new(true);
        }

        public IFrameSink Continue(EventStreamConnection connection)
        {
            _connection = connection;
            return this;
        }

        public void Abort() => _connection?.Close(ConnectionEnd.Gone);
    }
}
