using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>
/// Retention. What has to go is found on a reader; it is removed in slices, each a request of its own to the writer, so
/// that others get in between. From each topic only its oldest events go, and <c>trimmed_through</c> is moved in the same
/// transaction: whether a reader has missed something of a topic is then one comparison.
/// </summary>
internal sealed class Trimmer(SqliteStore store, RetentionOptions rules)
{
    /// <summary>Events or keys removed in one go: some milliseconds of the writer.</summary>
    internal const int SliceSize = 500;

    /// <summary>Topics looked at on one snapshot.</summary>
    private const int TopicPage = 200;

    private static readonly SqlText TrimTopics = new("trim_topics");
    private static readonly SqlText TrimHead = new("trim_head");
    private static readonly SqlText TrimByAge = new("trim_by_age");
    private static readonly SqlText TrimBySize = new("trim_by_size");
    private static readonly SqlText TrimSlice = new("trim_slice");
    private static readonly SqlText TrimDelete = new("trim_delete");
    private static readonly SqlText TrimMark = new("trim_mark");
    private static readonly SqlText SaveCounter = new("save_counter");
    private static readonly SqlText ForgetIdempotency = new("forget_idempotency");

    // Counting a topic costs as much as the topic keeps: done again only after something was appended to it.
    private long _countedThrough;

    /// <summary>Not for concurrent use.</summary>
    public async ValueTask<long> RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var head = store.Head.Offset;
        long removed = 0;
        for (long lastTopic = 0; ;)
        {
            var after = lastTopic;
            var (cuts, last) = await store.QueryAsync(database => FindCuts(database, after, now), cancellationToken);
            foreach (var (topic, through) in cuts)
                removed += await RemoveAsync(topic, through, cancellationToken);
            if (last is null)
                break;
            lastTopic = last.Value;
        }
        _countedThrough = head;
        await ForgetKeysAsync(now - rules.IdempotencyAge, cancellationToken);
        return removed;
    }

    private (List<(long Topic, long Through)> Cuts, long? Last) FindCuts(Database database, long after, DateTimeOffset now)
    {
        var topics = new List<(long Id, TopicName Name)>();
        var row = database.Prepare(TrimTopics).Bind(1, after).Bind(2, TopicPage);
        while (row.Step())
            topics.Add((row.Int64(0), TopicName.Parse(row.Text(1))));
        row.Reset();
        var cuts = new List<(long, long)>();
        foreach (var (id, name) in topics)
        {
            if (Cut(database, id, rules.For(name), now) is > 0 and var cut)
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
        var isCounted = rule.MaxCount is not null || rule.MaxBytes is not null;
        return isCounted && head > _countedThrough ? Math.Max(byAge, CutBySize(database, topic, rule)) : byAge;
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

    private async ValueTask<long> RemoveAsync(long topic, long through, CancellationToken cancellationToken)
    {
        for (long removed = 0; ;)
        {
            var count = await store.ChangeAsync(session => RemoveSlice(session.Database, topic, through), cancellationToken);
            removed += count;
            if (count < SliceSize)
                return removed;
        }
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

    private async ValueTask ForgetKeysAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        while (await store.ChangeAsync(session => ForgetKeys(session.Database, before), cancellationToken) == SliceSize)
        {
            // Slice by slice.
        }
    }

    private static int ForgetKeys(Database database, DateTimeOffset before)
    {
        database.Prepare(ForgetIdempotency).Bind(1, before.ToUnixTimeMilliseconds()).Bind(2, SliceSize).Run();
        return SQLitePCL.raw.sqlite3_changes(database.Handle);
    }
}
