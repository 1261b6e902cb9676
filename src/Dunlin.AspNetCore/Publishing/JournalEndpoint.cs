using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>Serves <c>GET /dunlin/v1/journal?topic=&amp;after=&amp;limit=</c>: a page of past events, for polling and recovery. A topic may
/// be a pattern.</summary>
internal sealed class JournalEndpoint(IJournal journal, EventFanout fanout, AccessPolicies policies, IOptions<EventStreamOptions> streams)
{
    private const int DefaultLimit = 100;

    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var asked = AskedTopics.Of(context.Request.Query["topic"]);
        if (asked.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "The query has no 'topic'. Name at least one topic or pattern.", "topic");
        // Each pattern costs a separate search, unlike a topic name. The limit is that of a stream.
        if (asked.Patterns.Count > streams.Value.MaxTopics)
            throw new DunlinException(
                ErrorCode.TooManyTopics,
                $"The query has {asked.Patterns.Count} patterns; the limit is {streams.Value.MaxTopics}.",
                "topic"
            );
        await asked.RequireReadAsync(policies, caller, context.RequestAborted);
        var limit = Limit(context.Request);
        var (after, reset) = await fanout.LocateAsync(After(context.Request), context.RequestAborted);
        // A request without a position starts at the oldest retained event, for readers that recover everything.
        var from = context.Request.Query.ContainsKey("after") ? after.Offset : 0;
        var page = await journal.ReadAsync(
            new JournalQuery(from, asked.Topics, limit) { Patterns = asked.Patterns },
            context.RequestAborted
        );
        // A stream of topics leaves out restricted events. Only administrators may examine them.
        if (!caller.IsAdministrator)
            page = page with { Events = [.. page.Events.Where(static entry => !entry.IsRestricted)] };
        if (page.Trimmed && context.Request.Query.ContainsKey("after"))
            reset ??= ResetReason.Trimmed;
        await JournalAnswer.WriteAsync(context, page, after with { Offset = page.Through }, reset);
    }

    private static int Limit(HttpRequest request)
    {
        var text = (string?)request.Query["limit"];
        if (text is null)
            return DefaultLimit;
        return
            int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var limit)
            && limit is >= 1 and <= JournalLimits.MaxPageEvents
            ? limit
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'limit' must be a number from 1 to {JournalLimits.MaxPageEvents}, not '{Excerpt.Of(text)}'.",
                "limit"
            );
    }

    private static Position? After(HttpRequest request) =>
        (string?)request.Query["after"] is not { } text ? null
        : Position.TryParse(text, out var position) ? position
        : throw new DunlinException(
            ErrorCode.InvalidPosition,
            $"'after' is '{Excerpt.Of(text)}', which is not a position of this server.",
            "after"
        );
}
