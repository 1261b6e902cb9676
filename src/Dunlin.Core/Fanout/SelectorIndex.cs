using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Holds the subscribers of each selector and finds the selectors of an event. Owned by one shard.</summary>
/// <remarks>
/// An event costs one look-up for each beginning of its topics that ends with a slash, and one test for each selector with such a prefix.
/// Of 10,000 selectors with different prefixes it tests one.
/// </remarks>
internal sealed class SelectorIndex
{
    private readonly Dictionary<TopicSelector, SubscriberSet> _sets = [];
    private readonly Dictionary<SelectorKind, Dictionary<string, List<(TopicSelector Selector, SubscriberSet Set)>>> _kinds = [];
    private readonly List<SubscriberSet> _found = [];

    public int Count => _sets.Count;

    public IEnumerable<SubscriberSet> Sets => _sets.Values;

    /// <summary>Returns the subscribers of a selector; adds an empty set if the selector is new.</summary>
    public SubscriberSet GetOrAdd(TopicSelector selector)
    {
        if (_sets.TryGetValue(selector, out var set))
            return set;
        _sets.Add(selector, set = new SubscriberSet());
        if (!_kinds.TryGetValue(selector.Kind, out var byPrefix))
            _kinds.Add(selector.Kind, byPrefix = new(StringComparer.Ordinal));
        if (!byPrefix.TryGetValue(selector.Prefix, out var alike))
            byPrefix.Add(selector.Prefix, alike = new(1));
        alike.Add((selector, set));
        return set;
    }

    /// <summary>Removes a connection from the set of a selector.</summary>
    public void RemoveAt(TopicSelector selector, int seat)
    {
        var set = _sets[selector];
        set.RemoveAt(seat);
        if (set.Count > 0)
            return;
        _sets.Remove(selector);
        var byPrefix = _kinds[selector.Kind];
        var alike = byPrefix[selector.Prefix];
        alike.RemoveAll(one => ReferenceEquals(one.Set, set));
        if (alike.Count == 0)
            byPrefix.Remove(selector.Prefix);
        if (byPrefix.Count == 0)
            _kinds.Remove(selector.Kind);
    }

    /// <summary>
    /// Returns the sets of all selectors that select a topic of the event. A set may appear twice. The list is valid until the next call.
    /// </summary>
    public List<SubscriberSet> Selecting(DunlinEvent entry)
    {
        _found.Clear();
        foreach (var (kind, byPrefix) in _kinds)
        {
            var views = entry.ViewsOf(kind);
            for (var i = 0; i < views.Count; i++)
                Find(byPrefix, views[i]);
        }
        return _found;
    }

    private void Find(Dictionary<string, List<(TopicSelector Selector, SubscriberSet Set)>> byPrefix, TopicView view)
    {
        var lookup = byPrefix.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = 0; ; )
        {
            if (lookup.TryGetValue(view.Key.AsSpan(0, end), out var alike))
            {
                foreach (var (selector, set) in alike)
                {
                    if (selector.Selects(view))
                        _found.Add(set);
                }
            }
            var slash = view.Key.AsSpan(end).IndexOf('/');
            if (slash < 0)
                return;
            end += slash + 1;
        }
    }
}
