using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Journal;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.DurableStreams.Reading;

/// <summary>Serves <c>GET</c> and <c>HEAD</c> of a stream: stored data, long-poll and event streams.</summary>
internal sealed class ReadEndpoint(
    IJournal journal,
    DurableStreamReader reader,
    StreamRights rights,
    LongPolls polls,
    LiveStreams live,
    TimeProvider time,
    IOptions<DurableStreamOptions> options
)
{
    private const string LongPoll = "long-poll";
    private const string EventStream = "sse";

    public async Task ServeAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = await rights.RequireReadAsync(context, name);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            Describe(context.Response, (await reader.FindAsync(topic, context.RequestAborted)).Living());
            return;
        }
        var mode = ModeOf(context.Request);
        var text = OffsetOf(context.Request, isRequired: mode is not null);
        var stream = (await reader.FindAsync(topic, context.RequestAborted)).Living();
        await reader.TouchAsync(stream, context.RequestAborted);
        // An offset beyond the tail cannot come from this stream. Continue at the tail, so that no later append is missed.
        var after =
            text == StreamOffset.Now
                ? stream.Tail
                : Math.Min(StreamOffset.Parse(text ?? StreamOffset.Start, journal.Head, "offset"), stream.Tail);
        if (mode == EventStream)
        {
            if (after > 0 && after < stream.TrimmedThrough)
                throw StreamErrors.Trimmed(); // before the headers of the stream
            await live.ServeAsync(context, name, caller, stream, after);
            return;
        }
        var page = await ReadAsync(stream, after, context.RequestAborted);
        string? cursor = context.Request.Query["cursor"];
        if (mode == LongPoll && page is { Items.Count: 0, IsEnd: false, HasMore: false })
        {
            await polls.ServeAsync(context, new Poll(topic, caller, after, cursor), stream);
            return;
        }
        var answer = ReadAnswer.Of(
            page,
            journal.Head.Epoch,
            text == StreamOffset.Now ? null : after,
            mode == LongPoll ? StreamCursor.After(cursor, time.GetUtcNow()) : null
        );
        if (answer.Tag is { } tag && IsMatch(context.Request, tag))
            answer = answer with { Status = StatusCodes.Status304NotModified };
        await answer.WriteAsync(context.Response, context.RequestAborted);
    }

    private async ValueTask<StreamPage> ReadAsync(StreamState stream, long after, CancellationToken cancellationToken)
    {
        var page = await reader.ReadAsync(stream, after, options.Value.PageBytes, cancellationToken);
        return page.IsTrimmed ? throw StreamErrors.Trimmed() : page;
    }

    private void Describe(HttpResponse response, StreamState stream)
    {
        response.ContentType = stream.ContentType;
        response.Headers.CacheControl = "no-store";
        StreamAnswers.ApplyTail(response, journal, stream);
        StreamAnswers.ApplyExpiry(response, stream);
    }

    private static bool IsMatch(HttpRequest request, string tag) =>
        request.Headers.IfNoneMatch.Count > 0
        && EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var given)
        && given.Any(one => one.Tag == "*" || one.Tag == tag);

    private static string? ModeOf(HttpRequest request) =>
        request.Query["live"] switch
        {
            { Count: 0 } => null,
            [LongPoll] => LongPoll,
            [EventStream] => EventStream,
            var other => throw StreamErrors.Invalid($"'live' must be '{LongPoll}' or '{EventStream}', not '{other}'.", "live"),
        };

    private static string? OffsetOf(HttpRequest request, bool isRequired) =>
        request.Query["offset"] switch
        {
            [{ Length: > 0 } one] => one,
            { Count: 0 } when !isRequired => null,
            _ => throw StreamErrors.Invalid("Send one 'offset': one that this server sent, -1 or now.", "offset"),
        };
}
