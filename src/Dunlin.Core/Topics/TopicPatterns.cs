namespace Dunlin.Topics;

/// <summary>Matches names against lists of patterns. Does not allocate.</summary>
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

    /// <summary>
    /// Returns whether one of the patterns covers all of another pattern. False if only several patterns together cover it.
    /// </summary>
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
