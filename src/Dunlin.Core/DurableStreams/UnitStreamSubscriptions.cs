using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>The limits of subscriptions of a server. Immutable.</summary>
/// <param name="PerUser">The maximum number of subscriptions of one user.</param>
/// <param name="Total">The maximum number of subscriptions of the store.</param>
internal sealed record StreamSubscriptionLimits(int PerUser, int Total)
{
    /// <summary>The maximum number of streams in one wake: 100. The next wake has the others.</summary>
    public const int MaxWakeStreams = 100;

    /// <summary>The maximum number of cursors of a subscription in one answer, and of cursors made at its creation: 1,000.</summary>
    public const int MaxLinks = 1_000;

    /// <summary>The maximum number of existing streams that a creation compares with its pattern: 10,000.</summary>
    public const int MaxListed = 10_000;
}

/// <summary>
/// Changes subscriptions in a unit of work: creation, membership, and in the other parts scans, deliveries and claims. Not thread-safe.
/// </summary>
/// <remarks>Units of all nodes run one after another. A state that was read here therefore cannot change before the commit.</remarks>
internal sealed partial class UnitStreamSubscriptions
{
    private readonly IUnitOfWork _unit;
    private readonly IStreamSubscriptionTable _table;

    public UnitStreamSubscriptions(IUnitOfWork unit) => (_unit, _table) = (unit, TableOf(unit));

    private UnitStreams Streams => _unit.Streams;

    /// <summary>Returns the table of a unit of work or read scope.</summary>
    /// <exception cref="NotSupportedException">The store has no streams.</exception>
    public static IStreamSubscriptionTable TableOf(object scope) =>
        scope is IStreamScope streams
            ? streams.StreamSubscriptions
            : throw new NotSupportedException($"{scope.GetType().Name} has no durable streams: this store does not support them.");

    /// <summary>Creates a subscription, or confirms one with the same settings.</summary>
    /// <param name="wanted">The subscription.</param>
    /// <param name="topics">The topics of the explicit streams.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <returns>The subscription, and whether it is new. Null if the id belongs to other settings or to another user.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>: there are too many subscriptions.</exception>
    public async ValueTask<(StreamSubscription Row, bool IsNew)?> CreateAsync(
        StreamSubscription wanted,
        IReadOnlyList<TopicName> topics,
        StreamSubscriptionLimits limits,
        CancellationToken cancellationToken
    )
    {
        if (await _table.FindAsync(wanted.Id, cancellationToken) is { } existing)
        {
            if (existing.Owner != wanted.Owner || existing.ConfigurationHash != wanted.ConfigurationHash)
                return null;
            if (existing.Status == StreamSubscriptionStatus.Disabled)
            {
                existing = existing.Succeeded() with { DueAt = _unit.Now };
                await _table.SaveAsync(existing, cancellationToken);
            }
            return (existing, false);
        }
        var keys = await _table.ListKeysAsync(cancellationToken);
        if (keys.Count(key => key.Owner == wanted.Owner) >= limits.PerUser)
            throw DunlinException.Limit(limits.PerUser, "subscriptions of streams for each user");
        if (keys.Count >= limits.Total)
            throw DunlinException.Limit(limits.Total, "subscriptions of streams");
        var head = (await _unit.NextPositionAsync(cancellationToken)).Offset - 1;
        if (await _table.FindScannedAsync(cancellationToken) is null)
            await _table.SaveScannedAsync(head, cancellationToken);
        var row = wanted with { CreatedAt = _unit.Now, StartsAfter = head, Incarnation = NewId("") };
        await _table.SaveAsync(row, cancellationToken);
        await LinkAsync(row.Id, topics, cancellationToken);
        if (row.Pattern is { } pattern)
            await LinkMatchingAsync(row, StreamGlob.OfTopics(pattern), cancellationToken);
        return (row, true);
    }

    /// <summary>Deletes a subscription. Its tokens and cursors are void.</summary>
    public async ValueTask DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await _table.RemoveAsync(id, cancellationToken);
        if ((await _table.ListKeysAsync(cancellationToken)).Count == 0)
            await _table.SaveScannedAsync(null, cancellationToken);
    }

    /// <summary>Adds explicit streams at their tails. Streams that already belong to the subscription keep their cursors.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>: the subscription has too many streams.</exception>
    public async ValueTask LinkAsync(string id, IReadOnlyList<TopicName> topics, CancellationToken cancellationToken)
    {
        foreach (var topic in topics)
        {
            var link = await _table.FindLinkAsync(id, topic, cancellationToken) ?? await NewLinkAsync(id, topic, cancellationToken);
            await _table.SaveLinkAsync(link with { Kinds = link.Kinds | StreamLinkKinds.Explicit }, cancellationToken);
        }
        var links = await _table.ListLinksAsync(id, pendingOnly: false, StreamSubscriptionLimits.MaxLinks + 1, cancellationToken);
        if (topics.Count > 0 && links.Count(static link => link.IsExplicit) > StreamSubscriptionLimits.MaxLinks)
            throw DunlinException.Limit(StreamSubscriptionLimits.MaxLinks, "explicit streams of a subscription");
    }

    /// <summary>Removes an explicit stream. It stays if the pattern matches it.</summary>
    public async ValueTask UnlinkAsync(string id, TopicName topic, CancellationToken cancellationToken)
    {
        if (await _table.FindLinkAsync(id, topic, cancellationToken) is { } link)
            await SaveOrRemoveAsync(link with { Kinds = link.Kinds & ~StreamLinkKinds.Explicit }, cancellationToken);
    }

    /// <summary>Links existing streams that a pattern matches. A scan links those beyond the limits with their first append, at the offset
    /// of the creation.</summary>
    private async ValueTask LinkMatchingAsync(StreamSubscription row, StreamGlob glob, CancellationToken cancellationToken)
    {
        var patterns = new Patterns(await _table.ListKeysAsync(cancellationToken));
        var (literal, linked, listed) = (TopicName.FromStored(glob.Literal), 0, 0);
        IReadOnlyList<TopicName> page = await Streams.FindAsync(literal, cancellationToken) is { IsDeleted: false } ? [literal] : [];
        for (var after = ""; ; after = page[^1].Value)
        {
            foreach (var topic in page.Where(topic => glob.Matches(topic) && !patterns.IsWake(topic)))
            {
                var link = await _table.FindLinkAsync(row.Id, topic, cancellationToken);
                link ??= await NewLinkAsync(row.Id, topic, cancellationToken);
                await _table.SaveLinkAsync(link with { Kinds = link.Kinds | StreamLinkKinds.Glob }, cancellationToken);
                if (++linked == StreamSubscriptionLimits.MaxLinks)
                    return;
            }
            // The writer is locked meanwhile.
            if (listed >= StreamSubscriptionLimits.MaxListed)
                return;
            page = await _table.ListStreamsAsync(glob.Literal, after, StreamSubscriptionLimits.MaxLinks, cancellationToken);
            if (page.Count == 0)
                return;
            listed += page.Count;
        }
    }

    private async ValueTask<StreamLink> NewLinkAsync(string id, TopicName topic, CancellationToken cancellationToken) =>
        await Streams.FindAsync(topic, cancellationToken) is { IsDeleted: false } stream
            ? new StreamLink(id, topic) { Acked = stream.Tail, Tail = stream.Tail }
            : new StreamLink(id, topic);

    private async ValueTask SaveOrRemoveAsync(StreamLink link, CancellationToken cancellationToken)
    {
        if (link.Kinds == StreamLinkKinds.None)
            await _table.RemoveLinkAsync(link.SubscriptionId, link.Topic, cancellationToken);
        else
            await _table.SaveLinkAsync(link, cancellationToken);
    }

    private static string NewId(string prefix) => prefix + Guid.NewGuid().ToString("N");
}
