namespace Dunlin.Journal;

/// <summary>The limits that choose how a store with a topics table reads the events of a pattern.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Few topics: the store finds each topic by the pattern's prefix and reads its index. The cost grows with the page, not with the
/// journal.</item>
/// <item>Many topics: an index scan for each of 10,000 topics would cost more than reading a page. The store scans the journal in offset
/// order and filters.</item>
/// </list>
/// The ordered scan is cheap for a reader that is slightly behind, since many topics make up much of the journal. A reader that is far
/// behind, with a wide pattern that rarely matches, pays for all events in between: some milliseconds per page.
/// </remarks>
internal static class PatternLimits
{
    /// <summary>The maximum number of topic names in the prefix range of the patterns, matching or not, for the index strategy.</summary>
    /// <remarks>256 index scans cost about as much as reading one page in offset order.</remarks>
    public const int FewTopics = 256;

    /// <summary>The maximum number of events examined for one page in offset order. Bounds the time of a page without matches.</summary>
    public const int LookedAt = 4_096;
}
