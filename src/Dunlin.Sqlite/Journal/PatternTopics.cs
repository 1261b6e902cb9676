using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>Finds the topics that match patterns, in the name ranges of the patterns' prefixes. Valid in one snapshot. Not
/// thread-safe.</summary>
internal sealed class PatternTopics(Database database, IReadOnlyList<TopicPattern> patterns)
{
    private static readonly SqlText TopicsBetween = new("topics_between");
    private static readonly SqlText TopicsTrimmed = new("topics_trimmed");

    /// <summary>Returns all matching topics by number, or null if there are many: see <see cref="PatternLimits"/>.</summary>
    public Dictionary<long, TopicName>? Few()
    {
        var (found, left) = (new Dictionary<long, TopicName>(), PatternLimits.FewTopics);
        foreach (var pattern in patterns)
        {
            var row = Range(TopicsBetween, pattern);
            try
            {
                while (row.Step())
                {
                    if (--left < 0)
                        return null;
                    if (row.Text(1) is var name && pattern.Covers(name))
                        found[row.Int64(0)] = TopicName.Parse(name);
                }
            }
            finally
            {
                row.Reset();
            }
        }
        return found;
    }

    /// <summary>Returns whether retention has deleted an event after <paramref name="after"/> from a matching topic.</summary>
    public bool AreTrimmed(long after)
    {
        foreach (var pattern in patterns)
        {
            var row = Range(TopicsTrimmed, pattern).Bind(3, after);
            try
            {
                while (row.Step())
                {
                    if (pattern.Covers(row.Text(0)))
                        return true;
                }
            }
            finally
            {
                row.Reset();
            }
        }
        return false;
    }

    /// <summary>Returns whether retention has deleted an event after the start of a query from a text topic that it selects.</summary>
    public static bool AreTrimmed(Database database, JournalQuery query)
    {
        if (query.Selectors.Count == 0)
            return false;
        var wanted = new EventFilter([], [], query.Selectors);
        // All text topics: '$' follows '#'.
        var row = database.Prepare(TopicsTrimmed).Bind(1, "#").Bind(2, "$").Bind(3, query.After);
        try
        {
            while (row.Step())
            {
                if (wanted.MayHave(TopicName.FromStored(row.Text(0))))
                    return true;
            }
            return false;
        }
        finally
        {
            row.Reset();
        }
    }

    private Statement Range(SqlText sql, TopicPattern pattern) =>
        database.Prepare(sql).Bind(1, pattern.Range.From).Bind(2, pattern.Range.To);
}
