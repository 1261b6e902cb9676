using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Publishing;

/// <summary><c>GET /dunlin/v1/journal?topic=&amp;after=&amp;limit=</c>: a page of past events, for polling and recovery.</summary>
internal sealed class JournalEndpoint(IJournal journal, EventFanout fanout, AccessPolicies policies)
{
    private const int DefaultLimit = 100;

    public async Task<JournalAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        TopicName[] topics = [.. context.Request.Query["topic"].Select(TopicName.Parse).Distinct()];
        if (topics.Length == 0)
            throw new DunlinException(ErrorCode.InvalidField, "A topic is missing.", "topic");
        foreach (var topic in topics)
        {
            if (!await policies.MayReadAsync(caller, topic, context.RequestAborted))
                throw new DunlinException(ErrorCode.Forbidden, $"You may not read the topic '{topic}'.", "topic");
        }
        var limit = Limit(context.Request);
        var (after, reset) = await fanout.LocateAsync(After(context.Request), context.RequestAborted);
        // From the beginning of what is kept, where no position is given: for a reader that recovers everything.
        var from = context.Request.Query.ContainsKey("after") ? after.Offset : 0;
        var page = await journal.ReadAsync(new JournalQuery(from, topics, limit), context.RequestAborted);
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
