using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Journal;

/// <summary>Serves the journal: newest events first, or those after an offset, and one event with its data.</summary>
internal sealed partial class JournalViews(IJournal journal, IOptions<InspectorOptions> options, ILogger<JournalViews> logger)
{
    /// <summary>The largest number of reads of the journal for one request. The answer then says where to search on.</summary>
    private const int MaxReads = 20;

    private const int Window = 1_000;
    private const int PageBytes = 1024 * 1024;
    private const int PreviewBytes = 240;

    /// <summary>Serves <c>GET api/journal?pattern=&amp;type=&amp;user=&amp;before=&amp;after=&amp;time=&amp;limit=</c>.</summary>
    public async Task ServeListAsync(HttpContext context)
    {
        var filter = FilterOf(context);
        var limit = QueryText.Number(context, "limit", 100, 1, 500);
        var head = (await journal.ReadHeadAsync(context.RequestAborted)).Offset;
        JournalSlice slice;
        if (QueryText.Long(context, "after", 0, long.MaxValue) is { } after)
            slice = await ForwardAsync(filter, after, limit, head, context.RequestAborted);
        else if (TimeOf(context) is { } time)
            slice = await ForwardAsync(filter, await FindAsync(time, head, context.RequestAborted), limit, head, context.RequestAborted);
        else
            slice = await BackwardAsync(
                filter,
                QueryText.Long(context, "before", 1, long.MaxValue) ?? head + 1,
                limit,
                context.RequestAborted
            );
        await context.Response.WriteAsJsonAsync(
            new JournalRows([.. slice.Events.Select(entry => Row(entry, PreviewBytes))], slice.Before, slice.After, head),
            InspectorJson.Default.JournalRows,
            cancellationToken: context.RequestAborted
        );
    }

    /// <summary>Serves <c>GET api/journal/{offset}</c>: one event with all its data.</summary>
    public async Task ServeEventAsync(HttpContext context)
    {
        var page =
            long.TryParse(context.Request.RouteValues["offset"] as string, out var offset) && offset > 0
                ? await journal.ReadAsync(new JournalQuery(offset - 1, null, Limit: 1), context.RequestAborted)
                : null;
        if (page?.Events is not [var entry] || entry.Position.Offset != offset)
            throw new DunlinException(ErrorCode.NotFound, "The journal has no event at this offset. Retention may have removed it.");
        if (options.Value.ShowPayloads)
            LogRead(context.RequireCaller().UserId, offset, entry.Topic.Value);
        await context.Response.WriteAsJsonAsync(
            Row(entry, int.MaxValue),
            InspectorJson.Default.JournalRow,
            cancellationToken: context.RequestAborted
        );
    }

    private async Task<JournalSlice> ForwardAsync(
        JournalFilter filter,
        long after,
        int limit,
        long head,
        CancellationToken cancellationToken
    )
    {
        var found = new List<DunlinEvent>();
        var at = after;
        for (var reads = 0; reads < MaxReads && at < head && found.Count < limit; reads++)
        {
            var page = await journal.ReadAsync(filter.After(at, Window, PageBytes), cancellationToken);
            foreach (var entry in page.Events.Where(filter.Matches))
            {
                found.Add(entry);
                if (found.Count == limit)
                    return new JournalSlice(found, after + 1, entry.Position.Offset);
            }
            at = Math.Max(at, page.Through);
        }
        return new JournalSlice(found, after + 1, at);
    }

    // The journal reads forward only, so older events are read window by window, each from its beginning.
    private async Task<JournalSlice> BackwardAsync(JournalFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        var found = new List<DunlinEvent>();
        var size = filter.IsEmpty ? limit : Window;
        var (end, reads) = (before, 0);
        while (end > 1 && found.Count < limit && reads < MaxReads)
        {
            var start = Math.Max(1, end - size);
            var window = new List<DunlinEvent>();
            for (var at = start - 1; at < end - 1 && reads < MaxReads; reads++)
            {
                var page = await journal.ReadAsync(filter.After(at, Window, PageBytes), cancellationToken);
                window.AddRange(page.Events.Where(entry => entry.Position.Offset < end && filter.Matches(entry)));
                if (page.Through <= at)
                    break;
                at = page.Through;
            }
            found.InsertRange(0, window);
            end = start;
            size = Math.Min(size * 4, Window * 10);
        }
        if (found.Count > limit)
            found.RemoveRange(0, found.Count - limit);
        long? older =
            found.Count == limit && found[0].Position.Offset > 1 ? found[0].Position.Offset
            : end > 1 ? end
            : null;
        return new JournalSlice(found, older, found.Count > 0 ? found[^1].Position.Offset : before - 1);
    }

    /// <summary>Returns the offset before the first event at or after a time, by bisection: times grow with offsets.</summary>
    private async Task<long> FindAsync(DateTimeOffset time, long head, CancellationToken cancellationToken)
    {
        var (low, high) = (0L, head);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var page = await journal.ReadAsync(new JournalQuery(middle, null, Limit: 1, MaxBytes: 1), cancellationToken);
            if (page.Events.Count == 0 || page.Events[0].Time >= time)
                high = middle;
            else
                low = page.Events[0].Position.Offset;
        }
        return low;
    }

    private static JournalFilter FilterOf(HttpContext context)
    {
        TopicPattern? pattern = null;
        TopicName? topic = null;
        if (QueryText.Of(context, "pattern") is { } text)
        {
            if (text.StartsWith('#'))
                topic = TopicName.ForText(text[1..]);
            else if (TopicName.TryParse(text, out var name))
                topic = name;
            else if (!TopicPattern.TryParse(text, out pattern))
                throw new DunlinException(
                    ErrorCode.InvalidField,
                    $"'{text}' is neither a topic nor a pattern. Examples: teams/7, teams/*/chat, teams/7/**.",
                    "pattern"
                );
        }
        return new JournalFilter(topic, pattern, QueryText.Of(context, "type"), QueryText.Of(context, "user"));
    }

    private static DateTimeOffset? TimeOf(HttpContext context)
    {
        if (QueryText.Of(context, "time") is not { } text)
            return null;
        return DateTimeOffset.TryParse(
            text,
            System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time
            : throw new DunlinException(ErrorCode.InvalidField, "'time' must be ISO 8601, such as 2026-03-01T09:30:00Z.", "time");
    }

    private JournalRow Row(DunlinEvent entry, int maxBytes) =>
        new(
            entry.Position.Offset,
            entry.Position.ToString(),
            entry.Topic.Value,
            entry.Type,
            entry.Time,
            entry.Origin?.UserId,
            entry.Origin?.DeviceId,
            entry.Origin?.ConnectionId,
            entry.Data.Length,
            options.Value.ShowPayloads ? TextOf(entry, maxBytes) : null,
            entry.Data.Length > maxBytes
        )
        {
            AlsoOn = entry.AlsoOn.Count > 0 ? [.. entry.AlsoOn.Select(static topic => topic.Value)] : null,
            Format =
                entry.Format == EventFormat.Text ? "text"
                : entry.Format == EventFormat.Binary ? "base64"
                : null,
            IsRestricted = entry.IsRestricted,
            ForeignId = entry.ForeignId,
            Headers = entry.Headers.Count > 0 ? entry.Headers : null,
        };

    private static string TextOf(DunlinEvent entry, int maxBytes)
    {
        var data = entry.Data.Span[..Math.Min(maxBytes, entry.Data.Length)];
        return entry.Format == EventFormat.Binary ? Convert.ToBase64String(data) : Encoding.UTF8.GetString(data);
    }

    [LoggerMessage(6003, LogLevel.Information, "Administrator {UserId} read the data of event {Offset} of topic {Topic}.")]
    private partial void LogRead(PeerText userId, long offset, PeerText topic);
}

/// <summary>Which events to show. Immutable.</summary>
internal sealed record JournalFilter(TopicName? Topic, TopicPattern? Pattern, string? Type, string? User)
{
    public bool IsEmpty => Topic is null && Pattern is null && Type is null && User is null;

    public JournalQuery After(long offset, int limit, int maxBytes) =>
        Pattern is not null ? new JournalQuery(offset, [], limit, maxBytes) { Patterns = [Pattern] }
        : Topic is { } topic ? new JournalQuery(offset, [topic], limit, maxBytes)
        : new JournalQuery(offset, null, limit, maxBytes);

    public bool Matches(DunlinEvent entry) =>
        (Type is null || entry.Type.StartsWith(Type, StringComparison.OrdinalIgnoreCase)) && (User is null || entry.Origin?.UserId == User);
}

/// <summary>Events in the order of offsets, and the offsets at which the older and the newer page begin.</summary>
internal sealed record JournalSlice(IReadOnlyList<DunlinEvent> Events, long? Before, long After);

/// <param name="Events">The events, in the order of offsets.</param>
/// <param name="Before">The parameter <c>before</c> of the next older page; null at the beginning of the journal.</param>
/// <param name="After">The parameter <c>after</c> of the next newer page.</param>
/// <param name="Head">The offset of the last event.</param>
internal sealed record JournalRows(IReadOnlyList<JournalRow> Events, long? Before, long After, long Head);

internal sealed record JournalRow(
    long Offset,
    string Position,
    string Topic,
    string Type,
    DateTimeOffset Time,
    string? UserId,
    string? Device,
    string? ConnectionId,
    int Size,
    string? Data,
    bool IsCut
)
{
    /// <summary>The further topics; null for none.</summary>
    public IReadOnlyList<string>? AlsoOn { get; init; }

    /// <summary>The format of the data: <c>text</c> or <c>base64</c>; null for JSON.</summary>
    public string? Format { get; init; }

    public bool IsRestricted { get; init; }

    /// <summary>The id that another protocol gave the event; null for none.</summary>
    public string? ForeignId { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }
}
