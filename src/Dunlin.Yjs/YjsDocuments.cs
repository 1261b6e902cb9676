using System.Buffers;
using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Yjs;

/// <summary>Serves collaborative documents. A document is a durable stream, whose topic is its name. Thread-safe.</summary>
internal sealed class YjsDocuments(
    IStore store,
    DurableStreamReader reader,
    AccessPolicies policies,
    PublishRate rate,
    EventFanout fanout,
    IOptions<YjsOptions> options
)
{
    public const string ContentType = "application/vnd.dunlin.yjs";

    /// <summary>The response header with the offset to continue after.</summary>
    public const string OffsetHeader = "Dunlin-Offset";

    private const int PageBytes = 1024 * 1024;

    /// <summary>Answers with the entries after an offset, or with all of them if a snapshot has replaced some of these.</summary>
    public async Task ReadAsync(HttpContext context)
    {
        var (caller, topic) = (context.RequireCaller(), TopicOf(context));
        if (!await policies.MayReadAsync(caller, topic, context.RequestAborted))
            throw Forbidden("read", topic);
        var after = OffsetOf(context, "after") ?? -1;
        var stream = await reader.FindAsync(topic, context.RequestAborted);
        context.Response.ContentType = ContentType;
        context.Response.Headers[HeaderNames.CacheControl] = "no-store";
        if (stream is null)
        {
            context.Response.Headers[OffsetHeader] = "0";
            return;
        }
        Check(stream);
        if (after > stream.Tail || after < stream.TrimmedThrough)
            after = -1;
        // The response ends at the tail that was read first: later entries arrive as events.
        context.Response.Headers[OffsetHeader] = stream.Tail.ToString(CultureInfo.InvariantCulture);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        while (true)
        {
            var page = await reader.ReadAsync(stream, after, PageBytes, context.RequestAborted);
            foreach (var item in page.Items)
                context.Response.BodyWriter.Write(item.Data.Span);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            if (!page.HasMore)
                return;
            after = page.Next;
        }
    }

    /// <summary>Appends an update, and answers with its offset. The first one creates the document, unless an option forbids it.</summary>
    public async Task AppendAsync(HttpContext context)
    {
        var (caller, topic) = (context.RequireCaller(), TopicOf(context));
        await RequireWriterAsync(context, caller, topic);
        var body = await RequestBytes.ReadAsync(context, options.Value.MaxUpdateBytes, context.RequestAborted);
        var entry = YjsEntry.Encode(YjsEntryKind.Update, body);
        rate.Take(caller, StreamEvents.CountOf([entry]), topic);
        var tail = await WriteAsync(
            context,
            caller,
            async (unit, ct) =>
            {
                var append = new StreamAppend
                {
                    Messages = [entry],
                    ContentType = ContentType,
                    Origin = caller.AsOrigin(),
                };
                if (await unit.Streams.FindAsync(topic, ct) is null)
                {
                    if (!options.Value.CreateOnFirstUpdate)
                        throw new DunlinException(ErrorCode.NotFound, $"There is no document '{topic}', or it was deleted.", "topic");
                    await unit.Streams.CreateAsync(topic, new StreamSettings { ContentType = ContentType }, ct);
                }
                return (await unit.Streams.AppendAsync(topic, append, ct)).Stream!.Tail;
            }
        );
        Answer(context, tail);
    }

    /// <summary>Stores a snapshot of all entries through an offset, and removes these entries, in one transaction.</summary>
    /// <remarks>The snapshot is appended like an update. Entries between the offset and the snapshot stay before it, which is no fault: Yjs
    /// applies updates in any order. A snapshot for entries that another one replaced already changes nothing.</remarks>
    public async Task CompactAsync(HttpContext context)
    {
        var (caller, topic) = (context.RequireCaller(), TopicOf(context));
        await RequireWriterAsync(context, caller, topic);
        var through =
            OffsetOf(context, "through")
            ?? throw new DunlinException(ErrorCode.InvalidField, "Name the last offset that the snapshot has: ?through=42.", "through");
        var body = await RequestBytes.ReadAsync(context, options.Value.MaxSnapshotBytes, context.RequestAborted);
        var entry = YjsEntry.Encode(YjsEntryKind.Snapshot, body);
        rate.Take(caller, StreamEvents.CountOf([entry]), topic);
        var tail = await WriteAsync(
            context,
            caller,
            async (unit, ct) =>
            {
                var stream =
                    await unit.Streams.FindAsync(topic, ct)
                    ?? throw new DunlinException(ErrorCode.NotFound, $"There is no document '{topic}'. Append an update first.");
                if (through > stream.Tail)
                    throw new DunlinException(
                        ErrorCode.InvalidField,
                        $"'through' is {through}, and the document ends at {stream.Tail}.",
                        "through"
                    );
                if (through <= stream.TrimmedThrough)
                    return stream.Tail;
                var append = new StreamAppend
                {
                    Messages = [entry],
                    ContentType = ContentType,
                    Origin = caller.AsOrigin(),
                };
                var result = await unit.Streams.AppendAsync(topic, append, ct);
                await unit.Streams.TrimAsync(topic, through, ct);
                return result.Stream!.Tail;
            }
        );
        Answer(context, tail);
    }

    // The token of the request is not passed on: a cancelled append may still commit.
    private ValueTask<long> WriteAsync(HttpContext context, Caller caller, Func<IUnitOfWork, CancellationToken, ValueTask<long>> work) =>
        fanout.Flow.RunAsync(caller.UserId, 1, () => store.WriteAsync(work, CancellationToken.None), context.RequestAborted);

    private async ValueTask RequireWriterAsync(HttpContext context, Caller caller, TopicName topic)
    {
        if (!await policies.MayPublishAsync(caller, topic, context.RequestAborted))
            throw Forbidden("change", topic);
    }

    private static void Answer(HttpContext context, long tail)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers[OffsetHeader] = tail.ToString(CultureInfo.InvariantCulture);
    }

    private static void Check(StreamState stream)
    {
        if (!string.Equals(stream.ContentType, ContentType, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.Conflict, $"The stream '{stream.Topic}' is no document: it has '{stream.ContentType}'.");
    }

    private static TopicName TopicOf(HttpContext context) => TopicName.Parse(context.Request.RouteValues[YjsRouting.Document] as string);

    private static long? OffsetOf(HttpContext context, string parameter)
    {
        var text = context.Request.Query[parameter].ToString();
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw new DunlinException(ErrorCode.InvalidField, $"'{parameter}' must be an offset: digits.", parameter);
    }

    private static DunlinException Forbidden(string what, TopicName topic) =>
        new(ErrorCode.Forbidden, $"You do not have permission to {what} the document '{topic}'.", "topic");
}
