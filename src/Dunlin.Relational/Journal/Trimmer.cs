using Dunlin.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Journal;

/// <summary>
/// Retention: finds page by page the events and keys that the rules no longer keep, and removes them in slices, so that writers get in
/// between. From each topic only its oldest events go, and <c>trimmed_through</c> moves in the same statement: whether a reader has missed
/// something of a topic is then one comparison. Nodes that trim at the same time do the same work twice, and no harm. Not for concurrent
/// use.
/// </summary>
internal sealed class Trimmer(RelationalStore store, RetentionOptions rules)
{
    /// <summary>Events or keys removed in one slice: some milliseconds of a writer.</summary>
    internal const int SliceSize = 500;

    /// <summary>Topics in one page.</summary>
    private const int TopicPage = 200;

    // Counting a topic costs as much as the topic keeps: done again only after something was appended to it.
    private long _countedThrough;

    /// <summary>Removes what the rules no longer keep.</summary>
    /// <returns>The number of events removed.</returns>
    public async ValueTask<long> RunAsync(long head, DateTimeOffset now, CancellationToken cancellationToken)
    {
        long removed = 0;
        for (long? last = 0; last is { } after; )
        {
            (var cuts, last) = await store.LookUpAsync((session, ct) => FindCutsAsync(session, after, now, ct), cancellationToken);
            foreach (var (topic, through) in cuts)
                removed += await RemoveAsync(topic, through, cancellationToken);
        }
        _countedThrough = head;
        var before = (now - rules.IdempotencyAge).ToUnixTimeMilliseconds();
        int forgotten;
        do
        {
            forgotten = await store.ChangeAsync(
                (session, ct) => session.Call("forget_idempotency").Number(before).Number(SliceSize).RunAsync(ct),
                cancellationToken
            );
        } while (forgotten == SliceSize);
        return removed;
    }

    /// <returns>Through which offset each topic of the page has to go, and the topic after which the next page begins; null at the
    /// end.</returns>
    private async ValueTask<(IReadOnlyList<(long Topic, long Through)> Cuts, long? Last)> FindCutsAsync(
        ISqlSession session,
        long after,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var topics = await session
            .Call("trim_topics")
            .Number(after)
            .Number(TopicPage)
            .ListAsync(static row => (Id: row.Number(0), Name: TopicName.Parse(row.Text(1)), Head: row.Number(2)), cancellationToken);
        var cuts = new List<(long, long)>();
        foreach (var (id, name, head) in topics)
        {
            if (head > 0 && await FindCutAsync(session, id, head, rules.For(name), now, cancellationToken) is > 0 and var cut)
                cuts.Add((id, cut));
        }
        return (cuts, topics.Count == TopicPage ? topics[^1].Id : null);
    }

    /// <summary>The offset through which the topic has to go; 0 for none.</summary>
    private async ValueTask<long> FindCutAsync(
        ISqlSession session,
        long topic,
        long head,
        RetentionRule rule,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        long byAge = 0;
        if (rule.MaxAge is { } age)
        {
            var young = await session
                .Call("trim_by_age")
                .Number(topic)
                .Number((now - age).ToUnixTimeMilliseconds())
                .FindAsync<long?>(static row => row.Number(0), cancellationToken);
            byAge = young is { } offset ? offset - 1 : head;
        }
        if ((rule.MaxCount is null && rule.MaxBytes is null) || head <= _countedThrough)
            return byAge;
        var bySize = await session
            .Call("trim_by_size")
            .Number(topic)
            .Number(rule.MaxCount ?? long.MaxValue)
            .Number(rule.MaxBytes ?? long.MaxValue)
            .FindAsync(static row => row.Number(0), cancellationToken);
        return Math.Max(byAge, bySize);
    }

    private async ValueTask<long> RemoveAsync(long topic, long through, CancellationToken cancellationToken)
    {
        for (long removed = 0; ; )
        {
            var count = await store.ChangeAsync(
                (session, ct) => session.Call("trim_slice").Number(topic).Number(through).Number(SliceSize).RunAsync(ct),
                cancellationToken
            );
            removed += count;
            if (count < SliceSize)
                return removed;
        }
    }
}
