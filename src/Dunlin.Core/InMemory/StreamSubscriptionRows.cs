using System.Collections.Immutable;
using Dunlin.DurableStreams;
using Dunlin.Topics;

namespace Dunlin.InMemory;

/// <summary>All subscriptions of streams of the in-memory store. Immutable.</summary>
internal sealed record StreamSubscriptionRows(
    ImmutableSortedDictionary<string, StreamSubscription> ById,
    ImmutableDictionary<(string Id, TopicName Topic), StreamLink> Links,
    long? Scanned
)
{
    public static StreamSubscriptionRows Empty { get; } =
        new(
            ImmutableSortedDictionary.Create<string, StreamSubscription>(StringComparer.Ordinal),
            ImmutableDictionary<(string Id, TopicName Topic), StreamLink>.Empty,
            null
        );
}

/// <summary>The subscriptions of streams of one scope in memory.</summary>
/// <param name="get">Returns the current rows; throws if the scope has ended.</param>
/// <param name="set">Replaces the rows; null in a read scope.</param>
internal sealed class InMemoryStreamSubscriptionTable(Func<StreamRows> get, Action<StreamRows>? set) : IStreamSubscriptionTable
{
    private StreamSubscriptionRows Rows => get().Subscriptions;

    public ValueTask<StreamSubscription?> FindAsync(string id, CancellationToken cancellationToken) => new(Rows.ById.GetValueOrDefault(id));

    public ValueTask SaveAsync(StreamSubscription row, CancellationToken cancellationToken) =>
        Set(Rows with { ById = Rows.ById.SetItem(row.Id, row) });

    public ValueTask RemoveAsync(string id, CancellationToken cancellationToken) =>
        Set(Rows with { ById = Rows.ById.Remove(id), Links = Rows.Links.RemoveRange(Rows.Links.Keys.Where(key => key.Id == id)) });

    public ValueTask<IReadOnlyList<StreamSubscriptionKey>> ListKeysAsync(CancellationToken cancellationToken) =>
        new([.. Rows.ById.Values.Select(static row => new StreamSubscriptionKey(row.Id, row.Owner, row.Pattern, row.WakeTopic))]);

    public ValueTask<IReadOnlyList<StreamSubscription>> ListDueAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        new([.. Rows.ById.Values.Where(row => row.DueAt <= now).OrderBy(static row => row.DueAt).Take(limit)]);

    public ValueTask<DateTimeOffset?> FindNextDueAsync(CancellationToken cancellationToken) =>
        new(Rows.ById.Values.Min(static row => row.DueAt));

    public ValueTask<StreamLink?> FindLinkAsync(string id, TopicName topic, CancellationToken cancellationToken) =>
        new(Rows.Links.GetValueOrDefault((id, topic)));

    public ValueTask<IReadOnlyList<StreamLink>> ListLinksAsync(
        string id,
        bool pendingOnly,
        int limit,
        CancellationToken cancellationToken
    ) =>
        new([
            .. Rows
                .Links.Values.Where(link => link.SubscriptionId == id && (!pendingOnly || link.IsPending))
                .OrderBy(link => pendingOnly ? link.Acked : 0)
                .ThenBy(static link => link.Topic.Value, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public ValueTask<IReadOnlyList<StreamLink>> ListLinksOfAsync(TopicName topic, CancellationToken cancellationToken) =>
        new([.. Rows.Links.Values.Where(link => link.Topic == topic).OrderBy(static link => link.SubscriptionId, StringComparer.Ordinal)]);

    public ValueTask SaveLinkAsync(StreamLink link, CancellationToken cancellationToken) =>
        Set(Rows with { Links = Rows.Links.SetItem((link.SubscriptionId, link.Topic), link) });

    public ValueTask RemoveLinkAsync(string id, TopicName topic, CancellationToken cancellationToken) =>
        Set(Rows with { Links = Rows.Links.Remove((id, topic)) });

    public ValueTask<IReadOnlyList<TopicName>> ListStreamsAsync(
        string prefix,
        string after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        new([
            .. get()
                .ByTopic.Values.Where(row =>
                    row.Status == StreamStatus.Live
                    && row.Topic.Value.StartsWith(prefix + '/', StringComparison.Ordinal)
                    && string.CompareOrdinal(row.Topic.Value, after) > 0
                )
                .Select(static row => row.Topic)
                .OrderBy(static topic => topic.Value, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public ValueTask<long?> FindScannedAsync(CancellationToken cancellationToken) => new(Rows.Scanned);

    public ValueTask SaveScannedAsync(long? through, CancellationToken cancellationToken) => Set(Rows with { Scanned = through });

    private ValueTask Set(StreamSubscriptionRows rows)
    {
        (set ?? throw new InvalidOperationException("A read scope cannot change subscriptions. Use a unit of work."))(
            get() with
            {
                Subscriptions = rows,
            }
        );
        return default;
    }
}
