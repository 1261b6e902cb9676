using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// The connections subscribed to each pattern, and which patterns match a topic. The answer for a topic is remembered, so that an event
/// costs one look-up whatever the number of patterns; all answers are dropped when a pattern comes or goes. To find one anew, only patterns
/// whose <see cref="TopicPattern.Prefix"/> is a prefix of the topic are tried: with 10,000 readers of <c>users/{id}/**</c>, who come and
/// go, that is one of them. Owned by one shard.
/// </summary>
internal sealed class PatternIndex
{
    /// <summary>Topics whose answers are remembered; bounds memory to some hundreds of KiB.</summary>
    private const int MaxKnownTopics = 4_096;

    private readonly Dictionary<TopicPattern, SubscriberSet> _sets = [];
    private readonly Dictionary<string, List<(TopicPattern Pattern, SubscriberSet Set)>> _byPrefix = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicName, SubscriberSet[]> _known = [];

    public IEnumerable<SubscriberSet> Sets => _sets.Values;

    /// <summary>The set of a pattern, made where it is new.</summary>
    public SubscriberSet GetOrAdd(TopicPattern pattern)
    {
        if (_sets.TryGetValue(pattern, out var set))
            return set;
        _sets.Add(pattern, set = new SubscriberSet());
        if (!_byPrefix.TryGetValue(pattern.Prefix, out var alike))
            _byPrefix.Add(pattern.Prefix, alike = new(1));
        alike.Add((pattern, set));
        _known.Clear();
        return set;
    }

    /// <summary>Takes a connection out of the set of a pattern.</summary>
    public void RemoveAt(TopicPattern pattern, int seat)
    {
        var set = _sets[pattern];
        set.RemoveAt(seat);
        if (set.Count > 0)
            return;
        _sets.Remove(pattern);
        var alike = _byPrefix[pattern.Prefix];
        alike.RemoveAll(one => ReferenceEquals(one.Set, set));
        if (alike.Count == 0)
            _byPrefix.Remove(pattern.Prefix);
        _known.Clear();
    }

    /// <summary>The sets of all patterns that cover a topic. A connection may be in several.</summary>
    public SubscriberSet[] Matching(TopicName topic)
    {
        if (_sets.Count == 0)
            return [];
        if (_known.TryGetValue(topic, out var matching))
            return matching;
        matching = Find(topic.Value);
        if (_known.Count >= MaxKnownTopics)
            _known.Clear();
        _known.Add(topic, matching);
        return matching;
    }

    private SubscriberSet[] Find(string topic)
    {
        var found = new List<SubscriberSet>();
        var byPrefix = _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = 0; end >= 0; end = EndOfNextSegment(topic, end))
        {
            if (!byPrefix.TryGetValue(topic.AsSpan(0, end), out var alike))
                continue;
            foreach (var (pattern, set) in alike)
            {
                if (pattern.Covers(topic))
                    found.Add(set);
            }
        }
        return [.. found];
    }

    // From the empty prefix over "a" and "a/b" to the whole name; then -1.
    private static int EndOfNextSegment(string topic, int end)
    {
        if (end == topic.Length)
            return -1;
        var next = topic.IndexOf('/', end == 0 ? 0 : end + 1);
        return next < 0 ? topic.Length : next;
    }
}
