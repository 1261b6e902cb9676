namespace Dunlin.Journal;

/// <summary>
/// Retention of a store that has topics in a table: what has to go is found page by page and removed in slices, so that others get in
/// between. From each topic only its oldest events go, and the store moves <c>trimmed_through</c> together with them: whether a reader has
/// missed something of a topic is then one comparison. Not for concurrent use.
/// </summary>
internal abstract class JournalTrimmer(RetentionOptions rules)
{
    /// <summary>Events or keys removed in one go: some milliseconds of a writer.</summary>
    internal const int SliceSize = 500;

    /// <summary>Topics looked at in one go.</summary>
    protected const int TopicPage = 200;

    // Counting a topic costs as much as the topic keeps: done again only after something was appended to it.
    private long _countedThrough;

    protected RetentionOptions Rules => rules;

    /// <summary>Removes what the rules let go.</summary>
    /// <returns>How many events.</returns>
    public async ValueTask<long> RunAsync(long head, DateTimeOffset now, CancellationToken cancellationToken)
    {
        long removed = 0;
        for (long? last = 0; last is { } after;)
        {
            (var cuts, last) = await FindCutsAsync(after, now, cancellationToken);
            foreach (var (topic, through) in cuts)
                removed += await RemoveAsync(topic, through, cancellationToken);
        }
        _countedThrough = head;
        while (await ForgetKeysAsync(now - rules.IdempotencyAge, cancellationToken) == SliceSize)
        {
            // Slice by slice.
        }
        return removed;
    }

    /// <summary>Looks at the next page of topics.</summary>
    /// <returns>Through which offset each has to go, those without left out; and the topic to go on after, null at the end.</returns>
    protected abstract ValueTask<(IReadOnlyList<(long Topic, long Through)> Cuts, long? Last)> FindCutsAsync(
        long after, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes a topic's oldest events, at most <see cref="SliceSize"/>, through an offset.</summary>
    protected abstract ValueTask<long> RemoveSliceAsync(long topic, long through, CancellationToken cancellationToken);

    /// <summary>Removes answers to keys that are older, at most <see cref="SliceSize"/>.</summary>
    protected abstract ValueTask<int> ForgetKeysAsync(DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>Whether a topic must be counted: its rule bounds its size, and it has grown since the last time.</summary>
    protected bool IsCounted(RetentionRule rule, long topicHead) => (rule.MaxCount is not null || rule.MaxBytes is not null) && topicHead > _countedThrough;

    private async ValueTask<long> RemoveAsync(long topic, long through, CancellationToken cancellationToken)
    {
        for (long removed = 0; ;)
        {
            var count = await RemoveSliceAsync(topic, through, cancellationToken);
            removed += count;
            if (count < SliceSize)
                return removed;
        }
    }
}
