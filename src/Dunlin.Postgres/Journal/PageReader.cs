using System.Text.RegularExpressions;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>Reads one page of the journal with one statement: one snapshot, and one round trip with the settings of its plan.</summary>
internal static class PageReader
{
    private static readonly SqlText PageAll = new("page_all");
    private static readonly SqlText PageTopics = new("page_topics");
    private static readonly SqlText PagePatterns = new("page_patterns");
    private static readonly SqlText TopicsTrimmed = new("topics_trimmed");

    // The column with the offset where a read in order stopped. The columns before it are those of every page.
    private const int LookedThroughColumn = 14;

    /// <returns>The page, and the head in its snapshot.</returns>
    public static async ValueTask<(JournalPage Page, Position Head)> ReadAsync(
        NpgsqlConnection connection,
        JournalQuery query,
        CancellationToken cancellationToken
    )
    {
        if (query is { Topics: not null, Selectors.Count: > 0 })
            return await ReadSelectedAsync(connection, query, cancellationToken);
        // The connection has no transaction of the application, so the settings end with the batch.
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(IndexPlans.Begin);
        batch.Add(
            query.Topics is null ? PageAll
                : query.Patterns.Count == 0 ? PageTopics
                : PagePatterns,
            Statements.Number(query.After),
            Statements.Number(query.Limit),
            Statements.Number(query.MaxBytes)
        );
        var command = batch.BatchCommands[1];
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
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
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

    // Selectors are code: the database cannot evaluate them. Reads the journal in order and examines a bounded number of events.
    private static async ValueTask<(JournalPage Page, Position Head)> ReadSelectedAsync(
        NpgsqlConnection connection,
        JournalQuery query,
        CancellationToken cancellationToken
    )
    {
        var wanted = new EventFilter(query.Topics!, query.Patterns, query.Selectors);
        var looked = new JournalQuery(query.After, Topics: null, JournalLimits.MaxPageEvents, query.MaxBytes);
        var (all, head) = await ReadAsync(connection, looked, cancellationToken);
        var events = all.Events.Where(wanted.Wants).Take(query.Limit).ToList();
        var isFull = events.Count == query.Limit;
        var through = isFull ? events[^1].Position.Offset : all.Through;
        var isTrimmed = all.Trimmed && await IsTrimmedAsync(connection, query, wanted, cancellationToken);
        return (new JournalPage(events, through, all.HasMore || through < all.Through, isTrimmed), head);
    }

    private static async ValueTask<bool> IsTrimmedAsync(
        NpgsqlConnection connection,
        JournalQuery query,
        EventFilter wanted,
        CancellationToken cancellationToken
    )
    {
        await using var command = connection.Command(TopicsTrimmed, Statements.Number(query.After));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            if (wanted.MayHave(TopicName.FromStored(row.GetString(0))))
                return true;
        }
        return false;
    }

    /// <summary>Converts a pattern to a regular expression of PostgreSQL.</summary>
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
            TopicName.FromStored(row.GetString(5)),
            row.GetString(6),
            row.GetFieldValue<byte[]>(7),
            Origin(row),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12)),
            row.IsDBNull(13) ? null : EventExtra.Decode(row.GetFieldValue<byte[]>(13))
        );

    private static EventOrigin? Origin(NpgsqlDataReader row)
    {
        var (user, session, connection, device) = (row.TextOrNull(8), row.TextOrNull(9), row.TextOrNull(10), row.TextOrNull(11));
        return user is null && session is null && connection is null && device is null
            ? null
            : new EventOrigin(user, session, connection, device);
    }
}
