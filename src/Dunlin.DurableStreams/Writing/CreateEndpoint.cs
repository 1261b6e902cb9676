using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Publishing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Writing;

/// <summary>Serves <c>PUT</c> of a stream: creates it, also as a fork, or confirms that it exists with the same settings.</summary>
internal sealed partial class CreateEndpoint(
    IStore store,
    IJournal journal,
    DurableStreamReader reader,
    StreamRights rights,
    PublishRate rate,
    EventFanout fanout,
    IOptions<DurableStreamOptions> options
)
{
    private const string Binary = "application/octet-stream";

    public async Task ServeAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = await rights.RequireWriteAsync(context, name);
        var request = context.Request;
        var fork = await ForkOfAsync(context, name);
        var type = ContentTypeOf(request) ?? (fork is null ? Binary : null);
        var (life, end) = ExpiryOf(request);
        var body = await RequestBytes.ReadAsync(context, options.Value.MaxAppendBytes, context.RequestAborted);
        if (fork is not null && body.Length > 0)
            type ??= (await reader.FindAsync(fork.Topic, context.RequestAborted))?.ContentType;
        var settings = new StreamSettings
        {
            ContentType = type,
            TimeToLive = life,
            ExpiresAt = end,
            ForkOf = fork,
            IsClosed = StreamHeaders.IsClosed(request),
            Messages =
                body.Length == 0 ? []
                : StreamEvents.IsJson(type ?? Binary) ? JsonMessages.Read(body, options.Value.MaxMessages)
                : [body],
            Origin = caller.AsOrigin(),
        };
        var events = StreamEvents.CountOf(settings.Messages);
        rate.Take(caller, events, topic);
        // The token of the request is not passed on: a cancelled change may still commit, and its caller has gone.
        var result = await fanout.Flow.RunAsync(
            caller.UserId,
            events,
            () => store.WriteAsync((unit, ct) => unit.Streams.CreateAsync(topic, settings, ct), CancellationToken.None),
            context.RequestAborted
        );
        Answer(context, result);
    }

    private void Answer(HttpContext context, StreamResult result)
    {
        var response = context.Response;
        switch (result.Outcome)
        {
            case StreamOutcome.SourceNotFound:
                throw new DunlinException(ErrorCode.NotFound, "The source of the fork does not exist.", StreamFields.ForkedFrom);
            case StreamOutcome.ForkOutOfRange:
                throw StreamErrors.Invalid("The source of the fork has no data at this offset.", StreamFields.ForkOffset);
            case StreamOutcome.SourceDeleted:
                throw new DunlinException(ErrorCode.Conflict, "The source of the fork was deleted.", StreamFields.ForkedFrom);
            case StreamOutcome.ContentTypeMismatch:
                throw new DunlinException(ErrorCode.Conflict, "The source of the fork has another content type.", "Content-Type");
            case StreamOutcome.Deleted:
                throw new DunlinException(ErrorCode.Conflict, "A deleted stream has this name while it has forks. Use another name.");
            case StreamOutcome.SettingsMismatch:
                throw new DunlinException(ErrorCode.Conflict, "The stream exists with other settings.");
            default:
                break;
        }
        response.StatusCode = result.Outcome == StreamOutcome.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        if (result.Outcome == StreamOutcome.Created)
            response.Headers.Location = UriHelper.BuildAbsolute(
                context.Request.Scheme,
                context.Request.Host,
                context.Request.PathBase,
                context.Request.Path
            );
        response.ContentType = result.Stream!.ContentType;
        StreamAnswers.ApplyTail(response, journal, result.Stream);
        StreamAnswers.ApplyExpiry(response, result.Stream);
    }

    private async ValueTask<StreamForkPoint?> ForkOfAsync(HttpContext context, StreamName name)
    {
        var request = context.Request;
        var (from, offset, part) = (
            StreamHeaders.Find(request, StreamFields.ForkedFrom),
            StreamHeaders.Find(request, StreamFields.ForkOffset),
            StreamHeaders.Find(request, StreamFields.ForkSubOffset)
        );
        if (string.IsNullOrEmpty(from))
        {
            if (part is not null || offset is not null)
                throw StreamErrors.Invalid("A fork offset needs 'Stream-Forked-From'.", StreamFields.ForkedFrom);
            return null;
        }
        // A fork shows the data of its source, so its creator must be allowed to read it.
        var (source, _) = await rights.RequireReadAsync(context, name.FromPath(from));
        // An offset of another history of the journal is out of range, like one beyond the tail.
        long? at = string.IsNullOrEmpty(offset)
            ? null
            : Math.Max(0, StreamOffset.Find(offset, journal.Head, StreamFields.ForkOffset) ?? long.MaxValue);
        var point = new StreamForkPoint(source, at) { SubOffset = part is null ? 0 : SubOffset(part) };
        return await reader.ResolveAsync(point, context.RequestAborted);
    }

    private static int SubOffset(string text) =>
        Decimal().IsMatch(text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StreamErrors.Invalid("'Stream-Fork-Sub-Offset' must be an integer from 0.", StreamFields.ForkSubOffset);

    private static string? ContentTypeOf(HttpRequest request) => request.ContentType is { } type && MediaType().IsMatch(type) ? type : null;

    private static (TimeSpan? Life, DateTimeOffset? End) ExpiryOf(HttpRequest request)
    {
        var (life, end) = (StreamHeaders.Find(request, StreamFields.TimeToLive), StreamHeaders.Find(request, StreamFields.ExpiresAt));
        if (life is not null && end is not null)
            throw StreamErrors.Invalid("Send 'Stream-TTL' or 'Stream-Expires-At', not both.", StreamFields.TimeToLive);
        if (life is not null)
        {
            if (!Decimal().IsMatch(life) || !int.TryParse(life, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                throw StreamErrors.Invalid(
                    "'Stream-TTL' must be a number of seconds without sign and leading zeros.",
                    StreamFields.TimeToLive
                );
            return (TimeSpan.FromSeconds(seconds), null);
        }
        if (end is null)
            return (null, null);
        return DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? (null, time.ToUniversalTime())
            : throw StreamErrors.Invalid("'Stream-Expires-At' must be a time such as 2026-01-31T12:00:00Z.", StreamFields.ExpiresAt);
    }

    [GeneratedRegex("^(0|[1-9][0-9]*)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^[\w.+-]+/[\w.+-]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex MediaType();
}
