namespace Dunlin.Topics;

/// <summary>What several patterns cover together. Allocates nothing.</summary>
internal static class TopicPatterns
{
    public static bool AnyCovers(this IReadOnlyList<TopicPattern> patterns, TopicName topic) => patterns.AnyCovers(topic.Value);

    public static bool AnyCovers(this IReadOnlyList<TopicPattern> patterns, string name)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (patterns[i].Covers(name))
                return true;
        }
        return false;
    }

    /// <summary>Whether one of them covers the whole of another pattern. What only several cover together counts as not covered.</summary>
    public static bool AnyCoversAll(this IReadOnlyList<TopicPattern> patterns, TopicPattern asked)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (patterns[i].CoversAll(asked))
                return true;
        }
        return false;
    }
}
