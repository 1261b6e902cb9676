using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>What a part of the journal did to a stream. Immutable.</summary>
/// <param name="EndedAt">The offset at which the stream was deleted or has ended; 0 if it was not.</param>
/// <param name="Tail">The offset of the last append after that; 0 for none.</param>
internal sealed record StreamChange(long EndedAt, long Tail);

internal sealed partial class UnitStreamSubscriptions
{
    /// <summary>Moves the tails of cursors, and makes subscriptions due that then have pending streams.</summary>
    /// <param name="from">The offset after which the changes were read.</param>
    /// <param name="through">The offset through which they were read.</param>
    /// <param name="changes">The changes by topic.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <returns>False if another node has scanned this part. Nothing changes then.</returns>
    public async ValueTask<bool> ApplyAsync(
        long from,
        long through,
        IReadOnlyDictionary<TopicName, StreamChange> changes,
        CancellationToken cancellationToken
    )
    {
        if (await _table.FindScannedAsync(cancellationToken) != from)
            return false;
        await _table.SaveScannedAsync(through, cancellationToken);
        var patterns = new Patterns(await _table.ListKeysAsync(cancellationToken));
        var pending = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (topic, change) in changes)
        {
            var links = await _table.ListLinksOfAsync(topic, cancellationToken);
            if (change.EndedAt > 0)
                links = await EndAsync(links, change.EndedAt, cancellationToken);
            if (change.Tail == 0)
                continue;
            foreach (var link in await WithMatchingAsync(topic, links, patterns.Matching(topic), cancellationToken))
            {
                var moved = link with { Tail = Math.Max(link.Tail, change.Tail) };
                await _table.SaveLinkAsync(moved, cancellationToken);
                if (moved.IsPending)
                    pending.Add(moved.SubscriptionId);
            }
        }
        foreach (var id in pending)
        {
            if (await _table.FindAsync(id, cancellationToken) is { IsIdle: true } row)
                await _table.SaveAsync(row with { DueAt = _unit.Now }, cancellationToken);
        }
        return true;
    }

    /// <summary>Returns whether a change of some stream concerns a subscription.</summary>
    public static async ValueTask<bool> ConcernAsync(
        IStreamSubscriptionTable table,
        IEnumerable<TopicName> topics,
        CancellationToken cancellationToken
    )
    {
        var patterns = new Patterns(await table.ListKeysAsync(cancellationToken));
        foreach (var topic in topics)
        {
            if (patterns.Matching(topic).Any() || (await table.ListLinksOfAsync(topic, cancellationToken)).Count > 0)
                return true;
        }
        return false;
    }

    /// <summary>Returns the cursors that stay after the end of a stream: the explicit ones, which wait for a new stream.</summary>
    private async ValueTask<IReadOnlyList<StreamLink>> EndAsync(
        IReadOnlyList<StreamLink> links,
        long endedAt,
        CancellationToken cancellationToken
    )
    {
        var stay = new List<StreamLink>();
        foreach (var link in links)
        {
            var ended = link with { Kinds = link.Kinds & StreamLinkKinds.Explicit, Acked = Math.Max(link.Acked, endedAt), Tail = endedAt };
            await SaveOrRemoveAsync(ended, cancellationToken);
            if (ended.IsExplicit)
                stay.Add(ended);
        }
        return stay;
    }

    private async ValueTask<List<StreamLink>> WithMatchingAsync(
        TopicName topic,
        IReadOnlyList<StreamLink> links,
        IEnumerable<string> matching,
        CancellationToken cancellationToken
    )
    {
        var all = links.ToDictionary(static link => link.SubscriptionId, StringComparer.Ordinal);
        foreach (var id in matching)
        {
            var link = all.GetValueOrDefault(id) ?? await DiscoverAsync(id, topic, cancellationToken);
            if (link is not null)
                all[id] = link with { Kinds = link.Kinds | StreamLinkKinds.Glob };
        }
        return [.. all.Values];
    }

    /// <summary>Returns a cursor before all data of a stream. If the stream is older than the subscription: after the data of that
    /// time.</summary>
    private async ValueTask<StreamLink?> DiscoverAsync(string id, TopicName topic, CancellationToken cancellationToken)
    {
        if (
            await _table.FindAsync(id, cancellationToken) is not { } row
            || await Streams.FindAsync(topic, cancellationToken) is not { IsDeleted: false } stream
        )
            return null;
        return new StreamLink(id, topic) { Acked = stream.Row.StartsAfter < row.StartsAfter ? row.StartsAfter : -1 };
    }

    /// <summary>The patterns of all subscriptions. No pattern matches a wake stream: two subscriptions would wake each other for
    /// ever.</summary>
    private sealed class Patterns(IReadOnlyList<StreamSubscriptionKey> keys)
    {
        private readonly HashSet<string> _wakes = keys.Select(static key => key.WakeTopic)
            .OfType<string>()
            .ToHashSet(StringComparer.Ordinal);

        private readonly List<(string Id, StreamGlob Glob)> _globs =
        [
            .. keys.Where(static key => key.Pattern is not null).Select(static key => (key.Id, StreamGlob.OfTopics(key.Pattern!))),
        ];

        public bool IsWake(TopicName topic) => _wakes.Contains(topic.Value);

        /// <summary>Returns the ids of the subscriptions whose patterns match a stream.</summary>
        public IEnumerable<string> Matching(TopicName topic) =>
            IsWake(topic) ? [] : _globs.Where(one => one.Glob.Matches(topic)).Select(static one => one.Id);
    }
}
