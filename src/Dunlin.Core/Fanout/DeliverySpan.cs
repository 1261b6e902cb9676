using System.Diagnostics;
using Dunlin.Diagnostics;

namespace Dunlin.Fanout;

/// <summary>The span of one batch on its way to the connections of this node. All shards share it; the last one ends it. Safe for
/// concurrent use.</summary>
internal sealed class DeliverySpan
{
    private readonly Activity _span;
    private int _shards;
    private long _deliveries;

    private DeliverySpan(Activity span, int shards) => (_span, _shards) = (span, shards);

    /// <summary>Begins a span; null where nobody traces.</summary>
    public static DeliverySpan? Start(int events, IReadOnlyList<ActivityLink> commits, int shards)
    {
        var before = Activity.Current;
        if (DunlinActivities.StartRoot(DunlinActivities.Deliver, ActivityKind.Consumer, commits) is not { } span)
            return null;
        // The shards go on with it on threads of their own.
        Activity.Current = before;
        span.SetTag("dunlin.events", events);
        return new DeliverySpan(span, shards);
    }

    /// <summary>A shard has handed the batch to its connections.</summary>
    public void End(int deliveries)
    {
        var all = Interlocked.Add(ref _deliveries, deliveries);
        if (Interlocked.Decrement(ref _shards) > 0)
            return;
        _span.SetTag("dunlin.deliveries", all);
        _span.Dispose();
    }
}

/// <summary>Commits that this node has heard of and not delivered yet, for the links of delivery spans. Not for concurrent use.</summary>
internal sealed class TracedCommits
{
    /// <summary>Bounds the memory of a node that lags behind: two spans of links.</summary>
    private const int MaxWaiting = 2 * DunlinActivities.MaxLinks;

    private readonly Dictionary<long, ActivityContext> _commits = [];

    /// <summary>Remembers the commit that ends at an offset.</summary>
    public void Add(long last, ActivityContext commit)
    {
        if (_commits.Count < MaxWaiting)
            _commits.TryAdd(last, commit);
    }

    /// <summary>Takes the commits that end at or before an offset, in their order.</summary>
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
