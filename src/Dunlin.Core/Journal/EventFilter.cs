using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// Selects the events of one read: those on a named topic, on a topic that a pattern covers, or on one that a selector selects. Not
/// thread-safe.
/// </summary>
internal sealed class EventFilter(
    IReadOnlyList<TopicName> topics,
    IReadOnlyList<TopicPattern> patterns,
    IReadOnlyList<TopicSelector> selectors
)
{
    private readonly TopicFilter _topics = new(topics, patterns);

    /// <summary>Returns whether a topic is named or covered by a pattern.</summary>
    public bool Names(TopicName topic) => _topics.Wants(topic);

    /// <summary>Returns whether an event on this topic alone is wanted.</summary>
    public bool MayHave(TopicName topic) =>
        _topics.Wants(topic) || selectors.Any(selector => selector.Kind.View(topic) is { } view && selector.Selects(view));

    public bool Wants(DunlinEvent entry)
    {
        if (_topics.Wants(entry.Topic))
            return true;
        if (entry.Extra is { } extra)
        {
            for (var i = 0; i < extra.AlsoOn.Count; i++)
            {
                if (_topics.Wants(extra.AlsoOn[i]))
                    return true;
            }
        }
        return selectors.Count > 0 && selectors.AnySelects(entry);
    }
}

/// <summary>Matches events against lists of selectors.</summary>
internal static class TopicSelectors
{
    public static bool AnySelects(this IReadOnlyList<TopicSelector> selectors, DunlinEvent entry)
    {
        for (var i = 0; i < selectors.Count; i++)
        {
            var views = entry.ViewsOf(selectors[i].Kind);
            for (var j = 0; j < views.Count; j++)
            {
                if (selectors[i].Selects(views[j]))
                    return true;
            }
        }
        return false;
    }
}
