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

    /// <returns>The page, and the head as of its snapshot.</returns>
    public static async ValueTask<(JournalPage Page, Position Head)> ReadAsync(NpgsqlConnection connection, JournalQuery query, CancellationToken cancellationToken)
    {
        await using var command = connection.Command(
            query.Topics is null ? PageAll : PageTopics, Statements.Number(query.After), Statements.Number(query.Limit), Statements.Number(query.MaxBytes));
        if (query.Topics is { } topics)
            command.Parameters.Add(Statements.Texts(topics.Select(topic => topic.Value).Distinct(StringComparer.Ordinal)));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var events = new List<Event>();
        var (head, isTrimmed, found) = (default(Position), false, 0L);
        while (await row.ReadAsync(cancellationToken))
        {
            head = new Position((uint)row.GetInt64(1), row.GetInt64(0));
            isTrimmed = row.GetBoolean(2);
            found = row.GetInt64(3);
            if (!row.IsDBNull(4))
                events.Add(Read(row, head.Epoch));
        }
        var hasMore = found > events.Count;
        var through = hasMore ? events[^1].Position.Offset : Math.Max(head.Offset, query.After);
        return (new JournalPage(events, through, hasMore, isTrimmed), head);
    }

    private static Event Read(NpgsqlDataReader row, uint epoch) => new(
        new Position(epoch, row.GetInt64(4)),
        TopicName.Parse(row.GetString(5)),
        row.GetString(6),
        row.GetFieldValue<byte[]>(7),
        Origin(row),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12)));

    private static EventOrigin? Origin(NpgsqlDataReader row)
    {
        var (user, session, connection, device) = (row.TextOrNull(8), row.TextOrNull(9), row.TextOrNull(10), row.TextOrNull(11));
        return user is null && session is null && connection is null && device is null ? null : new EventOrigin(user, session, connection, device);
    }
}
