using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>
/// Reads one page of the journal. For given topics it walks the index of each, a chunk of offsets at a time, and merges
/// them by offset: the cost grows with the topics and the events of the page, not with the journal. Patterns that cover many topics are
/// read from the journal in order instead; <see cref="PatternLimits"/> says why. Nothing beyond
/// <paramref name="head"/> is read, so that no page is ahead of what <see cref="IJournal.Head"/> tells.
/// </summary>
internal sealed class PageReader(Reader reader, JournalQuery query, uint epoch, long head)
{
    /// <summary>Events that are stepped over rather than looked up.</summary>
    private const int NearEvents = 6;

    private static readonly SqlText PageAll = new("page_all");
    private static readonly SqlText FindTopic = new("find_topic");
    private static readonly SqlText FindCounter = new("find_counter");

    private readonly List<DunlinEvent> _events = [];
    private long _bytes;
    private bool _isTrimmed;
    private long? _lookedThrough; // where a reading in order stopped before its page was full

    public JournalPage Read()
    {
        reader.Begin();
        try
        {
            var hasMore = query.Topics is null ? ReadAll() : ReadWanted(query.Topics);
            var through = _lookedThrough ?? (hasMore ? _events[^1].Position.Offset : Math.Max(head, query.After));
            return new JournalPage(_events, through, hasMore, _isTrimmed);
        }
        finally
        {
            reader.End();
        }
    }

    private bool IsFull => _events.Count == query.Limit || _bytes >= query.MaxBytes;

    private bool ReadAll()
    {
        _isTrimmed = IsAnyTrimmed();
        var row = reader.Database.Prepare(PageAll).Bind(1, query.After).Bind(2, head);
        try
        {
            while (row.Step())
            {
                if (IsFull)
                    return true;
                Add(row, reader.TopicName(row.Int64(1)));
            }
            return false;
        }
        finally
        {
            row.Reset();
        }
    }

    private bool ReadWanted(IReadOnlyList<TopicName> topics)
    {
        if (query.Patterns.Count == 0)
            return ReadTopics(topics, []);
        var covered = new PatternTopics(reader.Database, query.Patterns);
        _isTrimmed = IsAnyTrimmed() && covered.AreTrimmed(query.After);
        return covered.Few() is { } few ? ReadTopics(topics, few) : ReadInOrder(topics);
    }

    private bool ReadInOrder(IReadOnlyList<TopicName> topics)
    {
        foreach (var topic in topics)
            Find(topic); // whether it is trimmed
        var (wanted, known) = (new TopicFilter(topics, query.Patterns), new Dictionary<long, TopicName?>());
        var row = reader.Database.Prepare(PageAll).Bind(1, query.After).Bind(2, head);
        try
        {
            for (var looked = 0; row.Step(); looked++)
            {
                var id = row.Int64(1);
                if (!known.TryGetValue(id, out var topic))
                    known.Add(id, topic = reader.TopicName(id) is var name && wanted.Wants(name) ? name : null);
                if (looked == PatternLimits.LookedAt || (topic is not null && IsFull))
                {
                    _lookedThrough = row.Int64(0) - 1;
                    return true;
                }
                if (topic is { } its)
                    Add(row, its);
            }
            return false;
        }
        finally
        {
            row.Reset();
        }
    }

    private bool ReadTopics(IReadOnlyList<TopicName> topics, Dictionary<long, TopicName> covered)
    {
        var count = topics.Count + covered.Count;
        var merge = new PriorityQueue<TopicCursor, long>(count);
        var chunk = Math.Clamp(2 * (query.Limit + 1) / Math.Max(1, count), 8, 256);
        var seen = topics.Count > 1 ? new HashSet<TopicName>(topics.Count) : null;
        foreach (var topic in topics)
        {
            if (seen?.Add(topic) is not false && Find(topic) is { } id && !covered.ContainsKey(id))
                Queue(merge, new TopicCursor(id, topic, query.After, head, chunk));
        }
        foreach (var (id, topic) in covered)
            Queue(merge, new TopicCursor(id, topic, query.After, head, chunk));
        var row = reader.Database.Prepare(PageAll);
        try
        {
            for (var at = long.MinValue; merge.TryDequeue(out var cursor, out var offset); at = offset)
            {
                if (IsFull)
                    return true;
                MoveTo(row, at, offset);
                Add(row, cursor.Topic);
                Queue(merge, cursor);
            }
            return false;
        }
        finally
        {
            row.Reset();
        }
    }

    /// <summary>Goes to the event: a few steps from the one before where it is near, which is several times cheaper than
    /// to look it up, as is done where it is far.</summary>
    private void MoveTo(Statement row, long at, long offset)
    {
        if (at < offset - NearEvents)
        {
            row.Reset();
            row.Bind(1, offset - 1).Bind(2, head);
        }
        do
        {
            if (!row.Step())
                throw new InvalidOperationException($"Event {offset} is in the index and not in the journal: the database is damaged.");
        } while (row.Int64(0) < offset);
    }

    private void Queue(PriorityQueue<TopicCursor, long> merge, TopicCursor cursor)
    {
        if (cursor.Next(reader.Database) is { } offset)
            merge.Enqueue(cursor, offset);
    }

    private bool IsAnyTrimmed()
    {
        var counter = reader.Database.Prepare(FindCounter).Bind(1, "trimmed_through");
        var isTrimmed = counter.Step() && counter.Int64(0) > query.After;
        counter.Reset();
        return isTrimmed;
    }

    private long? Find(TopicName topic)
    {
        var find = reader.Database.Prepare(FindTopic).Bind(1, topic.Value);
        var id = find.Step() ? find.Int64(0) : default(long?);
        _isTrimmed |= id is not null && find.Int64(1) > query.After;
        find.Reset();
        return id;
    }

    private void Add(Statement row, TopicName topic)
    {
        var data = row.Bytes(3).ToArray();
        _events.Add(
            new DunlinEvent(
                new Position(epoch, row.Int64(0)),
                topic,
                reader.Texts.Get(row.Bytes(2)),
                data,
                Origin(row),
                DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(8))
            )
        );
        _bytes += data.Length;
    }

    private EventOrigin? Origin(Statement row)
    {
        var (user, session, connection, device) = (Text(row, 4), Text(row, 5), Text(row, 6), Text(row, 7));
        return user is null && session is null && connection is null && device is null
            ? null
            : new EventOrigin(user, session, connection, device);
    }

    private string? Text(Statement row, int column)
    {
        var utf8 = row.Bytes(column);
        return utf8.IsEmpty && row.IsNull(column) ? null : reader.Texts.Get(utf8);
    }
}
