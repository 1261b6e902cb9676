using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>Retention on SQLite: what has to go is found on a reader; each slice is a request of its own to the writer.</summary>
internal sealed class Trimmer(SqliteStore store, RetentionOptions rules) : JournalTrimmer(rules)
{
    private static readonly SqlText TrimTopics = new("trim_topics");
    private static readonly SqlText TrimHead = new("trim_head");
    private static readonly SqlText TrimByAge = new("trim_by_age");
    private static readonly SqlText TrimBySize = new("trim_by_size");
    private static readonly SqlText TrimSlice = new("trim_slice");
    private static readonly SqlText TrimDelete = new("trim_delete");
    private static readonly SqlText TrimMark = new("trim_mark");
    private static readonly SqlText SaveCounter = new("save_counter");
    private static readonly SqlText ForgetIdempotency = new("forget_idempotency");

    protected override ValueTask<(IReadOnlyList<(long Topic, long Through)> Cuts, long? Last)> FindCutsAsync(
        long after, DateTimeOffset now, CancellationToken cancellationToken) =>
        store.QueryAsync(database => FindCuts(database, after, now), cancellationToken);

    protected override ValueTask<long> RemoveSliceAsync(long topic, long through, CancellationToken cancellationToken) =>
        store.ChangeAsync(session => RemoveSlice(session.Database, topic, through), cancellationToken);

    protected override ValueTask<int> ForgetKeysAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        store.ChangeAsync(session => ForgetKeys(session.Database, before), cancellationToken);

    private (IReadOnlyList<(long Topic, long Through)> Cuts, long? Last) FindCuts(Database database, long after, DateTimeOffset now)
    {
        var topics = new List<(long Id, TopicName Name)>();
        var row = database.Prepare(TrimTopics).Bind(1, after).Bind(2, TopicPage);
        while (row.Step())
            topics.Add((row.Int64(0), TopicName.Parse(row.Text(1))));
        row.Reset();
        var cuts = new List<(long, long)>();
        foreach (var (id, name) in topics)
        {
            if (Cut(database, id, Rules.For(name), now) is > 0 and var cut)
                cuts.Add((id, cut));
        }
        return (cuts, topics.Count == TopicPage ? topics[^1].Id : null);
    }

    /// <summary>The offset through which the topic has to go; 0 for none.</summary>
    private long Cut(Database database, long topic, RetentionRule rule, DateTimeOffset now)
    {
        var find = database.Prepare(TrimHead).Bind(1, topic);
        var head = find.Step() ? find.Int64(0) : 0;
        find.Reset();
        if (head == 0)
            return 0;
        var byAge = rule.MaxAge is { } age ? CutByAge(database, topic, head, now - age) : 0;
        return IsCounted(rule, head) ? Math.Max(byAge, CutBySize(database, topic, rule)) : byAge;
    }

    private static long CutByAge(Database database, long topic, long head, DateTimeOffset before)
    {
        var row = database.Prepare(TrimByAge).Bind(1, topic).Bind(2, before.ToUnixTimeMilliseconds());
        var cut = row.Step() ? row.Int64(0) - 1 : head;
        row.Reset();
        return cut;
    }

    private static long CutBySize(Database database, long topic, RetentionRule rule)
    {
        var (maxCount, maxBytes) = (rule.MaxCount ?? long.MaxValue, rule.MaxBytes ?? long.MaxValue);
        var row = database.Prepare(TrimBySize).Bind(1, topic);
        long cut = 0;
        for (long count = 1, bytes = 0; row.Step(); count++)
        {
            bytes += row.Int64(1);
            if (count <= maxCount && bytes <= maxBytes)
                continue;
            cut = row.Int64(0);
            break;
        }
        row.Reset();
        return cut;
    }

    private static long RemoveSlice(Database database, long topic, long through)
    {
        var row = database.Prepare(TrimSlice).Bind(1, topic).Bind(2, through).Bind(3, SliceSize);
        row.Step();
        var (end, count) = (row.Int64(0), row.Int64(1));
        row.Reset();
        if (count == 0)
            return 0;
        database.Prepare(TrimDelete).Bind(1, topic).Bind(2, end).Run();
        database.Prepare(TrimMark).Bind(1, topic).Bind(2, end).Run();
        database.Prepare(SaveCounter).Bind(1, "trimmed_through").Bind(2, end).Run();
        return count;
    }

    private static int ForgetKeys(Database database, DateTimeOffset before)
    {
        database.Prepare(ForgetIdempotency).Bind(1, before.ToUnixTimeMilliseconds()).Bind(2, SliceSize).Run();
        return SQLitePCL.raw.sqlite3_changes(database.Handle);
    }
}
