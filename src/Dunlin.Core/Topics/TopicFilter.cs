namespace Dunlin.Topics;

/// <summary>Selects the topics of one read: the named ones and those that a pattern covers. Not thread-safe.</summary>
/// <remarks>Caches its results, because a page holds many events of few topics.</remarks>
internal sealed class TopicFilter(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns)
{
    /// <summary>Up to this number, comparing the names is faster than hashing them.</summary>
    private const int FewTopics = 4;

    private readonly HashSet<TopicName>? _topics = topics.Count > FewTopics ? new(topics) : null;
    private readonly Dictionary<TopicName, bool>? _known = patterns.Count > 0 ? [] : null;

    public bool Wants(TopicName topic)
    {
        if (_known is null)
            return Names(topic);
        if (!_known.TryGetValue(topic, out var wanted))
            _known.Add(topic, wanted = Names(topic) || patterns.AnyCovers(topic));
        return wanted;
    }

    private bool Names(TopicName topic) => _topics?.Contains(topic) ?? topics.Contains(topic);
}
