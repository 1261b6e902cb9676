using System.Diagnostics;
using Dunlin.Diagnostics;

namespace Dunlin.Fanout;

/// <summary>The trace span of delivering one batch to the connections of this node. Thread-safe.</summary>
/// <remarks>All shards share it; the last shard to finish ends it.</remarks>
internal sealed class DeliverySpan
{
    private readonly Activity _span;
    private int _shards;
    private long _deliveries;

    private DeliverySpan(Activity span, int shards) => (_span, _shards) = (span, shards);

    /// <summary>Starts a span; returns null if nothing listens to the activity source.</summary>
    public static DeliverySpan? Start(int events, IReadOnlyList<ActivityLink> commits, int shards)
    {
        var before = Activity.Current;
        if (DunlinActivities.StartRoot(DunlinActivities.Deliver, ActivityKind.Consumer, commits) is not { } span)
            return null;
        // Restore the current span: the shards end this one on other threads.
        Activity.Current = before;
        span.SetTag("dunlin.events", events);
        return new DeliverySpan(span, shards);
    }

    /// <summary>Records that a shard has delivered the batch. The last shard ends the span.</summary>
    public void End(int deliveries)
    {
        var all = Interlocked.Add(ref _deliveries, deliveries);
        if (Interlocked.Decrement(ref _shards) > 0)
            return;
        _span.SetTag("dunlin.deliveries", all);
        _span.Dispose();
    }
}

/// <summary>Holds the trace contexts of commits that are not delivered yet, to link them from delivery spans. Not thread-safe.</summary>
internal sealed class TracedCommits
{
    /// <summary>Bounds the memory of a node that lags: the links of two spans.</summary>
    private const int MaxWaiting = 2 * DunlinActivities.MaxLinks;

    private readonly Dictionary<long, ActivityContext> _commits = [];

    /// <summary>Adds the commit whose last event has this offset.</summary>
    public void Add(long last, ActivityContext commit)
    {
        if (_commits.Count < MaxWaiting)
            _commits.TryAdd(last, commit);
    }

    /// <summary>Removes the commits that end at or before an offset, and returns their links in offset order.</summary>
    public IReadOnlyList<ActivityLink> Take(long through)
    {
        if (_commits.Count == 0)
            return [];
        var taken = _commits.Where(commit => commit.Key <= through).OrderBy(commit => commit.Key).ToList();
        foreach (var (last, _) in taken)
            _commits.Remove(last);
        return [.. taken.Take(DunlinActivities.MaxLinks).Select(commit => new ActivityLink(commit.Value))];
    }
}
