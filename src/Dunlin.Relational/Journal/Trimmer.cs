using Dunlin.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Journal;

/// <summary>Applies retention: finds expired events and keys page by page, and deletes them in slices so that writers run in between. Not
/// thread-safe.</summary>
/// <remarks>
/// Only the oldest events of a topic are deleted, and the same statement raises <c>trimmed_through</c>. One comparison then shows whether a
/// reader has missed events of a topic. Nodes that trim concurrently repeat some work, without harm.
/// </remarks>
internal sealed class Trimmer(RelationalStore store, RetentionOptions rules)
{
    /// <summary>The number of events or keys that one slice deletes: some milliseconds of a writer.</summary>
    internal const int SliceSize = 500;

    /// <summary>The number of topics in a page.</summary>
    private const int TopicPage = 200;

    // Counting a topic costs time proportional to its events, so it is repeated only after new events were appended to the topic.
    private long _countedThrough;

    /// <summary>Deletes the events and keys that the rules no longer retain.</summary>
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
        removed += await TrimStreamsAsync(cancellationToken);
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

    /// <summary>Deletes the events of streams that were trimmed, deleted or have ended.</summary>
    private async ValueTask<long> TrimStreamsAsync(CancellationToken cancellationToken)
    {
        for (long removed = 0; ; )
        {
            var due = await store.LookUpAsync(
                static (session, ct) =>
                    session
                        .Call("stream_trim_due")
                        .Number(TopicPage)
                        .ListAsync(static row => (Id: row.Number(0), Topic: row.Number(1), Through: row.Number(2)), ct),
                cancellationToken
            );
            foreach (var (id, topic, through) in due)
            {
                removed += await RemoveAsync(topic, through, cancellationToken);
                await store.ChangeAsync(
                    (session, ct) => session.Call("stream_trimmed").Number(id).Number(through).RunAsync(ct),
                    cancellationToken
                );
            }
            if (due.Count < TopicPage)
                return removed;
        }
    }

    /// <returns>The offset through which each topic of the page must be trimmed, and the last topic of the page. The last topic is null at
    /// the end.</returns>
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
            .ListAsync(
                static row => new StoredTopic(row.Number(0), TopicName.FromStored(row.Text(1)), row.Number(2), row.Number(3)),
                cancellationToken
            );
        var cuts = new List<(long, long)>();
        foreach (var topic in topics)
        {
            if (topic.Head > 0 && await FindCutAsync(session, topic, rules.For(topic.Name), now, cancellationToken) is > 0 and var cut)
                cuts.Add((topic.Id, cut));
        }
        return (cuts, topics.Count == TopicPage ? topics[^1].Id : null);
    }

    /// <summary>Returns the offset through which the topic must be trimmed; 0 for none.</summary>
    private async ValueTask<long> FindCutAsync(
        ISqlSession session,
        StoredTopic topic,
        RetentionRule rule,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        long byAge = 0;
        if (rule.MaxAge is { } age && (now - age).ToUnixTimeMilliseconds() is var limit && topic.FirstTime < limit)
        {
            var young = await session
                .Call("trim_by_age")
                .Number(topic.Id)
                .Number(limit)
                .FindAsync<long?>(static row => row.Number(0), cancellationToken);
            byAge = young is { } offset ? offset - 1 : topic.Head;
        }
        if ((rule.MaxCount is null && rule.MaxBytes is null) || topic.Head <= _countedThrough)
            return byAge;
        // A number alone needs no event, only the index.
        var bySize = rule.MaxBytes is { } bytes
            ? await session
                .Call("trim_by_size")
                .Number(topic.Id)
                .Number(rule.MaxCount ?? long.MaxValue)
                .Number(bytes)
                .FindAsync(static row => row.Number(0), cancellationToken)
            : await session
                .Call("trim_by_count")
                .Number(topic.Id)
                .Number(rule.MaxCount)
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

    /// <param name="Id">The number of the topic.</param>
    /// <param name="Name">The name.</param>
    /// <param name="Head">The offset of its last event; 0 for none.</param>
    /// <param name="FirstTime">The time of its first event, in milliseconds since 1970.</param>
    private sealed record StoredTopic(long Id, TopicName Name, long Head, long FirstTime);
}
