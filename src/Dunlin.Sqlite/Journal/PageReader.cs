using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>Reads one page of the journal. Not thread-safe.</summary>
/// <remarks>For given topics, it reads the index of each topic in chunks of offsets and merges them by offset. The cost grows with the
/// topics and the events of the page, not with the journal. For patterns that match many topics it reads the journal in order; see
/// <see cref="PatternLimits"/> for the reason. It reads nothing beyond <paramref name="head"/>, so that no page is ahead of
/// <see cref="IJournal.Head"/>.</remarks>
internal sealed class PageReader(Reader reader, JournalQuery query, uint epoch, long head)
{
    /// <summary>The distance, in events, up to which stepping through rows is cheaper than a lookup.</summary>
    private const int NearEvents = 6;

    private static readonly SqlText PageAll = new("page_all");
    private static readonly SqlText FindTopic = new("find_topic");
    private static readonly SqlText FindCounter = new("find_counter");
    private static readonly SqlText FindEventTopic = new("find_event_topic");

    private readonly List<DunlinEvent> _events = [];
    private long _bytes;
    private bool _isTrimmed;
    private long? _lookedThrough; // where a read in order stopped before its page was full

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
                Add(Event(row, row.Int64(0), reader.TopicName(row.Int64(1)), !row.IsNull(9)));
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
        if (query.Patterns.Count == 0 && query.Selectors.Count == 0)
            return ReadTopics(topics, []);
        var covered = new PatternTopics(reader.Database, query.Patterns);
        _isTrimmed = IsAnyTrimmed() && (covered.AreTrimmed(query.After) || PatternTopics.AreTrimmed(reader.Database, query));
        return query.Selectors.Count == 0 && covered.Few() is { } few ? ReadTopics(topics, few) : ReadInOrder(topics);
    }

    private bool ReadInOrder(IReadOnlyList<TopicName> topics)
    {
        foreach (var topic in topics)
            Find(topic); // sets _isTrimmed
        var wanted = new EventFilter(topics, query.Patterns, query.Selectors);
        var known = new Dictionary<long, (TopicName Name, bool IsWanted)>();
        var row = reader.Database.Prepare(PageAll).Bind(1, query.After).Bind(2, head);
        try
        {
            for (var looked = 0; row.Step(); looked++)
            {
                var id = row.Int64(1);
                if (!known.TryGetValue(id, out var topic))
                    known.Add(id, topic = reader.TopicName(id) is var name ? (name, wanted.Names(name)) : default);
                // An event that its first topic does not select is decoded only if something else may.
                var hasExtra = !row.IsNull(9);
                var entry = topic.IsWanted || query.Selectors.Count > 0 || hasExtra ? Event(row, row.Int64(0), topic.Name, hasExtra) : null;
                if (entry is not null && !wanted.Wants(entry))
                    entry = null;
                if (looked == PatternLimits.LookedAt || (entry is not null && IsFull))
                {
                    _lookedThrough = row.Int64(0) - 1;
                    return true;
                }
                if (entry is not null)
                    Add(entry);
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
        var hasFurther = HasFurtherTopics();
        foreach (var topic in topics)
        {
            if (seen?.Add(topic) is not false && Find(topic) is { } id && !covered.ContainsKey(id))
                Begin(id, topic);
        }
        foreach (var (id, topic) in covered)
            Begin(id, topic);
        var row = reader.Database.Prepare(PageAll);
        try
        {
            for (var at = long.MinValue; merge.TryDequeue(out var cursor, out var offset); at = offset)
            {
                if (offset != at)
                {
                    if (IsFull)
                        return true;
                    MoveTo(row, at, offset);
                    var hasExtra = !row.IsNull(9);
                    Add(Event(row, offset, hasExtra ? reader.TopicName(row.Int64(1)) : cursor.Topic, hasExtra));
                }
                Queue(merge, cursor);
            }
            return false;
        }
        finally
        {
            row.Reset();
        }

        void Begin(long id, TopicName topic)
        {
            Queue(merge, new TopicCursor(id, topic, query.After, head, chunk));
            if (hasFurther)
                Queue(merge, new TopicCursor(id, topic, query.After, head, chunk, isFurther: true));
        }
    }

    private bool HasFurtherTopics()
    {
        var find = reader.Database.Prepare(FindEventTopic);
        var found = find.Step();
        find.Reset();
        return found;
    }

    /// <summary>Moves to the event. A near event is reached by a few steps, which is several times cheaper than a lookup; a distant event
    /// is looked up.</summary>
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
                throw new InvalidOperationException(
                    $"Event {offset} is in the index but not in the journal: the database is damaged. Restore a backup."
                );
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

    private void Add(DunlinEvent entry)
    {
        _events.Add(entry);
        _bytes += entry.Data.Length;
    }

    // Each call about a column takes the lock of the connection, so no column is looked at twice.
    private DunlinEvent Event(Statement row, long offset, TopicName topic, bool hasExtra) =>
        new(
            new Position(epoch, offset),
            topic,
            reader.Texts.Get(row.Bytes(2)),
            row.Bytes(3).ToArray(),
            Origin(row),
            DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(8)),
            hasExtra ? EventExtra.Decode(row.Bytes(9)) : null
        );

    private EventOrigin? Origin(Statement row)
    {
        var (user, session, connection, device) = (Text(row, 4), Text(row, 5), Text(row, 6), Text(row, 7));
        return user is null && session is null && connection is null && device is null
            ? null
            : new EventOrigin(user, session, connection, device);
    }

    private string? Text(Statement row, int column) => row.IsNull(column) ? null : reader.Texts.Get(row.Bytes(column));
}
