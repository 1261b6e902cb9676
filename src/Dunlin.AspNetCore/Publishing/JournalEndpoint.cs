using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary><c>GET /dunlin/v1/journal?topic=&amp;after=&amp;limit=</c>: a page of past events, for polling and recovery. A topic may be a pattern.</summary>
internal sealed class JournalEndpoint(IJournal journal, EventFanout fanout, AccessPolicies policies, IOptions<StreamOptions> streams)
{
    private const int DefaultLimit = 100;

    public async Task<JournalAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var asked = AskedTopics.Of(context.Request.Query["topic"]);
        if (asked.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "A topic is missing.", "topic");
        // Each pattern is a search of its own, unlike a name: no more than a stream may have.
        if (asked.Patterns.Count > streams.Value.MaxTopics)
            throw new DunlinException(ErrorCode.TooManyTopics, $"A page is asked of at most {streams.Value.MaxTopics} patterns; this one of {asked.Patterns.Count}.", "topic");
        await asked.RequireReadAsync(policies, caller, context.RequestAborted);
        var limit = Limit(context.Request);
        var (after, reset) = await fanout.LocateAsync(After(context.Request), context.RequestAborted);
        // From the beginning of what is kept, where no position is given: for a reader that recovers everything.
        var from = context.Request.Query.ContainsKey("after") ? after.Offset : 0;
        var page = await journal.ReadAsync(new JournalQuery(from, asked.Topics, limit) { Patterns = asked.Patterns }, context.RequestAborted);
        if (page.Trimmed && context.Request.Query.ContainsKey("after"))
            reset ??= ResetReason.Trimmed;
        return new JournalAnswer(
            [.. page.Events.Select(e => new JournalItem(e.Position.ToString(), e.Topic.Value, e.Type, JsonDocument.Parse(e.Data).RootElement, e.Time))],
            (after with { Offset = page.Through }).ToString(),
            page.HasMore,
            reset is null ? null : JsonNamingPolicy.CamelCase.ConvertName(reset.Value.ToString()));
    }

    private static int Limit(HttpRequest request)
    {
        var text = (string?)request.Query["limit"];
        if (text is null)
            return DefaultLimit;
        return int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= JournalLimits.MaxPageEvents
            ? limit
            : throw new DunlinException(ErrorCode.InvalidField, $"'limit' is a number from 1 to {JournalLimits.MaxPageEvents}.", "limit");
    }

    private static Position? After(HttpRequest request) => (string?)request.Query["after"] is not { } text
        ? null
        : Position.TryParse(text, out var position)
            ? position
            : throw new DunlinException(ErrorCode.InvalidPosition, "'after' is not a position of this server.", "after");
}

/// <summary>A page of the journal.</summary>
/// <param name="Events">In order.</param>
/// <param name="Position">Ask for the next page after this.</param>
/// <param name="HasMore">Whether more was known already.</param>
/// <param name="Reset">Why events are missing before the first: <c>trimmed | epoch | ahead</c>; null where none are.</param>
internal sealed record JournalAnswer(IReadOnlyList<JournalItem> Events, string Position, bool HasMore, string? Reset);

/// <summary>One event of a page.</summary>
internal sealed record JournalItem(string Position, string Topic, string Type, JsonElement Data, DateTimeOffset Time);
