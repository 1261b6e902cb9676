namespace Dunlin.Topics;

/// <summary>Says which topics one reading wants: those named, and those that a pattern covers. It remembers its answers, because a page
/// holds many events of few topics. Not for concurrent use.</summary>
internal sealed class TopicFilter(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns)
{
    /// <summary>So many names are compared faster than hashed.</summary>
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
