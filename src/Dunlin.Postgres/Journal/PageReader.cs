using System.Text.RegularExpressions;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>Reads one page of the journal: one statement, so one snapshot and one round trip.</summary>
internal static class PageReader
{
    private static readonly SqlText PageAll = new("page_all");
    private static readonly SqlText PageTopics = new("page_topics");
    private static readonly SqlText PagePatterns = new("page_patterns");

    // Where a reading in order stopped; the first columns are those of every page.
    private const int LookedThroughColumn = 13;

    /// <returns>The page, and the head as of its snapshot.</returns>
    public static async ValueTask<(JournalPage Page, Position Head)> ReadAsync(
        NpgsqlConnection connection,
        JournalQuery query,
        CancellationToken cancellationToken
    )
    {
        await using var command = connection.Command(
            query.Topics is null ? PageAll
                : query.Patterns.Count == 0 ? PageTopics
                : PagePatterns,
            Statements.Number(query.After),
            Statements.Number(query.Limit),
            Statements.Number(query.MaxBytes)
        );
        if (query.Topics is { } topics)
            command.Parameters.Add(Statements.Texts(topics.Select(topic => topic.Value).Distinct(StringComparer.Ordinal)));
        if (query is { Topics: not null, Patterns: { Count: > 0 } patterns })
        {
            command.Parameters.Add(Statements.Texts(patterns.Select(pattern => pattern.Range.From)));
            command.Parameters.Add(Statements.Texts(patterns.Select(pattern => pattern.Range.To)));
            command.Parameters.Add(Statements.Texts(patterns.Select(Expression)));
            command.Parameters.Add(Statements.Number(PatternLimits.FewTopics));
            command.Parameters.Add(Statements.Number(PatternLimits.LookedAt));
        }
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var events = new List<DunlinEvent>();
        var (head, isTrimmed, found, lookedThrough) = (default(Position), false, 0L, default(long?));
        while (await row.ReadAsync(cancellationToken))
        {
            head = new Position((uint)row.GetInt64(1), row.GetInt64(0));
            isTrimmed = row.GetBoolean(2);
            found = row.GetInt64(3);
            if (row.FieldCount > LookedThroughColumn && !row.IsDBNull(LookedThroughColumn))
                lookedThrough = row.GetInt64(LookedThroughColumn);
            if (!row.IsDBNull(4))
                events.Add(Read(row, head.Epoch));
        }
        if (found > events.Count)
            return (new JournalPage(events, events[^1].Position.Offset, HasMore: true, isTrimmed), head);
        var through = lookedThrough ?? Math.Max(head.Offset, query.After);
        return (new JournalPage(events, through, HasMore: lookedThrough is not null, isTrimmed), head);
    }

    /// <summary>A pattern as the database's own kind of expression.</summary>
    private static string Expression(TopicPattern pattern) =>
        '^'
        + string.Join(
            '/',
            pattern
                .Text.Split('/')
                .Select(segment =>
                    segment switch
                    {
                        "*" => "[^/]+",
                        "**" => ".+",
                        _ => Regex.Escape(segment),
                    }
                )
        )
        + '$';

    private static DunlinEvent Read(NpgsqlDataReader row, uint epoch) =>
        new(
            new Position(epoch, row.GetInt64(4)),
            TopicName.Parse(row.GetString(5)),
            row.GetString(6),
            row.GetFieldValue<byte[]>(7),
            Origin(row),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12))
        );

    private static EventOrigin? Origin(NpgsqlDataReader row)
    {
        var (user, session, connection, device) = (row.TextOrNull(8), row.TextOrNull(9), row.TextOrNull(10), row.TextOrNull(11));
        return user is null && session is null && connection is null && device is null
            ? null
            : new EventOrigin(user, session, connection, device);
    }
}
