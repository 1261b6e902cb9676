using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>The subscriptions and their cursors in one unit of work or read scope. Not thread-safe.</summary>
/// <remarks>An implementation must guarantee that rows commit with the unit of work.</remarks>
internal interface IStreamSubscriptionTable
{
    /// <summary>Returns a subscription; null if there is none.</summary>
    ValueTask<StreamSubscription?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces a subscription.</summary>
    ValueTask SaveAsync(StreamSubscription row, CancellationToken cancellationToken);

    /// <summary>Removes a subscription and its cursors.</summary>
    ValueTask RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>Returns the keys of all subscriptions.</summary>
    ValueTask<IReadOnlyList<StreamSubscriptionKey>> ListKeysAsync(CancellationToken cancellationToken);

    /// <summary>Returns subscriptions that are due at a time, earliest first.</summary>
    ValueTask<IReadOnlyList<StreamSubscription>> ListDueAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken);

    /// <summary>Returns when the next subscription is due; null for never.</summary>
    ValueTask<DateTimeOffset?> FindNextDueAsync(CancellationToken cancellationToken);

    /// <summary>Returns the cursor of a subscription on a stream; null if there is none.</summary>
    ValueTask<StreamLink?> FindLinkAsync(string id, TopicName topic, CancellationToken cancellationToken);

    /// <summary>Returns cursors of a subscription, by topic. Those that are pending only: the least advanced first, so that busy streams
    /// do not keep others out of a wake.</summary>
    ValueTask<IReadOnlyList<StreamLink>> ListLinksAsync(string id, bool pendingOnly, int limit, CancellationToken cancellationToken);

    /// <summary>Returns the cursors of all subscriptions on a stream.</summary>
    ValueTask<IReadOnlyList<StreamLink>> ListLinksOfAsync(TopicName topic, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces a cursor.</summary>
    ValueTask SaveLinkAsync(StreamLink link, CancellationToken cancellationToken);

    /// <summary>Removes a cursor.</summary>
    ValueTask RemoveLinkAsync(string id, TopicName topic, CancellationToken cancellationToken);

    /// <summary>Returns topics of live streams below a prefix, after a topic, by topic.</summary>
    ValueTask<IReadOnlyList<TopicName>> ListStreamsAsync(string prefix, string after, int limit, CancellationToken cancellationToken);

    /// <summary>Returns the offset through which the journal was scanned; null without subscriptions.</summary>
    ValueTask<long?> FindScannedAsync(CancellationToken cancellationToken);

    /// <summary>Replaces the offset through which the journal was scanned.</summary>
    ValueTask SaveScannedAsync(long? through, CancellationToken cancellationToken);
}
