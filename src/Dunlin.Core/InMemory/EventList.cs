using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.InMemory;

/// <summary>The events of the in-memory journal, and the trimmed offset of each topic. Not thread-safe.</summary>
internal sealed class EventList
{
    // The object of an event with its headers and its entry in the list, in bytes.
    private const long EventOverhead = 150;

    private readonly List<DunlinEvent> _events = [];
    private readonly Dictionary<TopicName, long> _trimmedThrough = [];
    private readonly Dictionary<TopicName, long> _last = [];

    /// <summary>Gets an estimate of the memory that the events occupy, in bytes.</summary>
    public long Bytes { get; private set; }

    public void Add(IReadOnlyList<DunlinEvent> events)
    {
        _events.AddRange(events);
        for (var i = 0; i < events.Count; i++)
        {
            Bytes += SizeOf(events[i]);
            _last[events[i].Topic] = events[i].Position.Offset;
        }
    }

    /// <summary>Returns the offset of the last event of a topic, also if it was trimmed; 0 if there was none.</summary>
    public long LastOf(TopicName topic) => _last.GetValueOrDefault(topic);

    public JournalPage Read(JournalQuery query, long head)
    {
        var wanted = query.Topics is { } topics ? new EventFilter(topics, query.Patterns, query.Selectors) : null;
        var trimmed = _trimmedThrough.Any(t => t.Value > query.After && wanted?.MayHave(t.Key) is not false);
        var page = new List<DunlinEvent>();
        long bytes = 0;
        for (var i = IndexAfter(query.After); i < _events.Count; i++)
        {
            var candidate = _events[i];
            if (wanted?.Wants(candidate) is false)
                continue;
            if (page.Count == query.Limit || bytes >= query.MaxBytes)
                return new JournalPage(page, page[^1].Position.Offset, HasMore: true, trimmed);
            page.Add(candidate);
            bytes += candidate.Data.Length;
        }
        return new JournalPage(page, Math.Max(head, query.After), HasMore: false, trimmed);
    }

    /// <summary>Returns the offset of the first event with a foreign id; null if there is none.</summary>
    public long? Find(string foreignId) => _events.Find(entry => entry.ForeignId == foreignId)?.Position.Offset;

    /// <summary>
    /// Removes the oldest events of each topic according to the rules. The remaining events are always the most recent ones.
    /// </summary>
    /// <remarks>The events of streams do not follow the rules.</remarks>
    public long Trim(RetentionOptions rules, DateTimeOffset now, IReadOnlyDictionary<TopicName, StreamRow> streams)
    {
        var doomed = new HashSet<DunlinEvent>();
        foreach (var topic in _events.GroupBy(e => e.Topic))
        {
            var all = topic.ToList();
            var cut = streams.TryGetValue(topic.Key, out var stream)
                ? all.FindLastIndex(entry => entry.Position.Offset <= stream.TrimDue) + 1
                : CutOf(all, rules.For(topic.Key), now);
            if (cut == 0)
                continue;
            doomed.UnionWith(all.Take(cut));
            foreach (var entry in all.Take(cut))
            {
                foreach (var name in entry.AlsoOn.Prepend(entry.Topic))
                    _trimmedThrough[name] = Math.Max(_trimmedThrough.GetValueOrDefault(name), entry.Position.Offset);
            }
        }
        Bytes -= doomed.Sum(SizeOf);
        return _events.RemoveAll(doomed.Contains);
    }

    // Topics are shared between events.
    private static long SizeOf(DunlinEvent item) => EventOverhead + item.Data.Length + (2L * item.Type.Length);

    private static int CutOf(List<DunlinEvent> events, RetentionRule rule, DateTimeOffset now)
    {
        var cut = 0;
        while (cut < events.Count && rule.MaxAge is { } age && events[cut].Time < now - age)
            cut++;
        long count = 0;
        long bytes = 0;
        for (var i = events.Count - 1; i >= cut; i--)
        {
            bytes += events[i].Data.Length;
            if (++count > (rule.MaxCount ?? long.MaxValue) || bytes > (rule.MaxBytes ?? long.MaxValue))
                return i + 1;
        }
        return cut;
    }

    private int IndexAfter(long offset)
    {
        var (low, high) = (0, _events.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_events[middle].Position.Offset <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
