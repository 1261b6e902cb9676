namespace Dunlin.Journal;

/// <summary>
/// How stores with a table of topics read for a pattern. Few topics: each is found by the prefix of the pattern and read by its index, so
/// the cost grows with the page and not with the journal. Many: to begin a walk in the index for each of 10,000 topics costs more than a
/// page is worth, again for every page, so the journal is read in order and what does not match is left out. A reader that is behind reads
/// what it missed, of which many topics make a good part; one that is far behind, with a pattern that is wide and rarely met, pays for what
/// lies between, some milliseconds at a time.
/// </summary>
internal static class PatternLimits
{
    /// <summary>Names in the range of the patterns' prefixes, matching or not, up to which topics count as few. Beginning 256 walks costs
    /// about what reading a page in order does.</summary>
    public const int FewTopics = 256;

    /// <summary>Events looked at for one page in order: bounds the time of a page of which nothing matches.</summary>
    public const int LookedAt = 4_096;
}
