using System.Globalization;
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

    // Requests carry credentials, so shared caches must not keep answers. A full page never changes.
    private const string FullPage = "private, max-age=60, stale-while-revalidate=300";
    private const string OpenPage = "private, no-cache";

    public async Task ServeAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = await rights.RequireReadAsync(context, name);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            Describe(context.Response, Living(await reader.FindAsync(topic, context.RequestAborted)));
            return;
        }
        var mode = ModeOf(context.Request);
        var text = OffsetOf(context.Request, isRequired: mode is not null);
        var stream = Living(await reader.FindAsync(topic, context.RequestAborted));
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
        if (mode == LongPoll && page is { Items.Count: 0, IsEnd: false, HasMore: false })
        {
            await polls.WaitAsync(context, caller, stream, options.Value.LongPollTimeout);
            await rights.RequireReadAsync(context, name);
            stream = Living(await reader.FindAsync(topic, context.RequestAborted));
            page = await ReadAsync(stream, after, context.RequestAborted);
        }
        await AnswerAsync(context, page, after, mode, isNow: text == StreamOffset.Now);
    }

    private async ValueTask<StreamPage> ReadAsync(StreamState stream, long after, CancellationToken cancellationToken)
    {
        var page = await reader.ReadAsync(stream, after, options.Value.PageBytes, cancellationToken);
        return page.IsTrimmed ? throw StreamErrors.Trimmed() : page;
    }

    private static StreamState Living(StreamState? stream) =>
        stream switch
        {
            null => throw StreamErrors.NotFound(),
            { IsDeleted: true } => throw StreamErrors.Deleted(),
            _ => stream,
        };

    private void Describe(HttpResponse response, StreamState stream)
    {
        response.ContentType = stream.ContentType;
        response.Headers.CacheControl = "no-store";
        StreamAnswers.ApplyTail(response, journal, stream);
        StreamAnswers.ApplyExpiry(response, stream);
    }

    private async Task AnswerAsync(HttpContext context, StreamPage page, long after, string? mode, bool isNow)
    {
        var response = context.Response;
        var headers = response.Headers;
        headers[StreamFields.NextOffset] = StreamOffset.Format(journal.Head.Epoch, page.Next);
        if (!page.HasMore)
            headers[StreamFields.UpToDate] = StreamFields.True;
        if (page.IsEnd)
            headers[StreamFields.Closed] = StreamFields.True;
        if (mode == LongPoll)
        {
            headers[StreamFields.Cursor] = StreamCursor.After(context.Request.Query["cursor"], time.GetUtcNow());
            if (page.Items.Count == 0)
            {
                headers.CacheControl = "no-store";
                response.StatusCode = StatusCodes.Status204NoContent;
                return;
            }
        }
        if (isNow)
        {
            headers.CacheControl = "no-store";
        }
        else
        {
            headers.CacheControl = page.HasMore ? FullPage : OpenPage;
            var tag = TagOf(page, after);
            headers.ETag = tag;
            if (context.Request.Headers.IfNoneMatch.Count > 0 && IsMatch(context.Request, tag))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }
        response.ContentType = page.Stream.ContentType;
        await WriteAsync(response, page, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpResponse response, StreamPage page, CancellationToken cancellationToken)
    {
        var items = page.Items;
        var isJson = page.Stream.IsJson;
        response.ContentLength = items.Sum(static item => (long)item.Data.Length) + (isJson ? Math.Max(0, items.Count - 1) + 2 : 0);
        var body = response.BodyWriter;
        if (isJson)
            await body.WriteAsync("["u8.ToArray(), cancellationToken);
        for (var i = 0; i < items.Count; i++)
        {
            if (isJson && i > 0)
                Copy(body, ","u8);
            Copy(body, items[i].Data.Span);
        }
        if (isJson)
            Copy(body, "]"u8);
        await body.FlushAsync(cancellationToken);
    }

    private static void Copy(System.IO.Pipelines.PipeWriter body, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            return;
        bytes.CopyTo(body.GetSpan(bytes.Length));
        body.Advance(bytes.Length);
    }

    // The closed state is part of the tag: a cached answer must not hide the end of the stream.
    private static string TagOf(StreamPage page, long after) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{page.Stream.Id:x}:{after}:{page.Next}{(page.IsEnd ? ":c" : "")}\"");

    private static bool IsMatch(HttpRequest request, string tag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var given) && given.Any(one => one.Tag == "*" || one.Tag == tag);

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
