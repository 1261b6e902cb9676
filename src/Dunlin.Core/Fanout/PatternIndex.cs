using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Holds the subscribers of each pattern and finds the patterns that match a topic. Owned by one shard.</summary>
/// <remarks>
/// The result for a topic is cached, so that an event costs one look-up with any number of patterns. Adding or removing a pattern
/// clears the cache. A look-up tests only patterns whose <see cref="TopicPattern.Prefix"/> is a prefix of the topic. Of 10,000 patterns
/// <c>users/{id}/**</c>, it tests one.
/// </remarks>
internal sealed class PatternIndex
{
    /// <summary>The maximum number of topics in the cache. Bounds its memory to some hundreds of KiB.</summary>
    private const int MaxKnownTopics = 4_096;

    private readonly Dictionary<TopicPattern, SubscriberSet> _sets = [];
    private readonly Dictionary<string, List<(TopicPattern Pattern, SubscriberSet Set)>> _byPrefix = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicName, SubscriberSet[]> _known = [];

    public IEnumerable<SubscriberSet> Sets => _sets.Values;

    /// <summary>Returns the subscribers of a pattern; adds an empty set if the pattern is new.</summary>
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

    /// <summary>Removes a connection from the set of a pattern.</summary>
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

    /// <summary>Returns the sets of all patterns that cover a topic. A connection may be in several of them.</summary>
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

    // Yields the segment ends: empty prefix, "a", "a/b", ..., whole name; then -1.
    private static int EndOfNextSegment(string topic, int end)
    {
        if (end == topic.Length)
            return -1;
        var next = topic.IndexOf('/', end == 0 ? 0 : end + 1);
        return next < 0 ? topic.Length : next;
    }
}
