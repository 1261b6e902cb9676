using System.Collections.Immutable;
using Dunlin.DurableStreams;
using Dunlin.Topics;

namespace Dunlin.InMemory;

/// <summary>
/// All streams and producers of the in-memory store. Immutable: a reference is a snapshot, and discarding a new value is a rollback.
/// </summary>
internal sealed record StreamRows(
    ImmutableDictionary<TopicName, StreamRow> ByTopic,
    ImmutableDictionary<(long Id, string Producer), StreamProducerState> Producers
)
{
    public static StreamRows Empty { get; } =
        new(ImmutableDictionary<TopicName, StreamRow>.Empty, ImmutableDictionary<(long Id, string Producer), StreamProducerState>.Empty);

    public StreamSubscriptionRows Subscriptions { get; init; } = StreamSubscriptionRows.Empty;

    public StreamRow? Find(long id) => ByTopic.Values.FirstOrDefault(row => row.Id == id);

    public StreamRows With(StreamRow row) => this with { ByTopic = ByTopic.SetItem(row.Topic, row) };

    public StreamRows WithoutProducers(long id) =>
        this with
        {
            Producers = Producers.RemoveRange(Producers.Keys.Where(key => key.Id == id)),
        };

    /// <summary>Returns the rows after the events that are due were removed.</summary>
    public StreamRows Trimmed()
    {
        var rows = ByTopic;
        foreach (var row in ByTopic.Values.Where(static row => row.TrimDue is not null))
            rows = row.Status == StreamStatus.Removed ? rows.Remove(row.Topic) : rows.SetItem(row.Topic, row with { TrimDue = null });
        return this with { ByTopic = rows };
    }
}

/// <summary>The streams of one scope in memory.</summary>
/// <param name="get">Returns the current rows; throws if the scope has ended.</param>
/// <param name="set">Replaces the rows; null in a read scope.</param>
/// <param name="lastEvent">Returns the last offset of a topic; 0 if it has no event.</param>
internal sealed class InMemoryStreamTable(Func<StreamRows> get, Action<StreamRows>? set, Func<TopicName, long> lastEvent) : IStreamTable
{
    public ValueTask<StreamRow?> FindAsync(TopicName topic, CancellationToken cancellationToken) =>
        new(WithLastEvent(get().ByTopic.GetValueOrDefault(topic)));

    public ValueTask<StreamRow?> FindAsync(long id, CancellationToken cancellationToken) => new(WithLastEvent(get().Find(id)));

    public ValueTask SaveAsync(StreamRow row, CancellationToken cancellationToken) => Set(get().With(row with { LastEvent = 0 }));

    public ValueTask<bool> HasForksAsync(long id, CancellationToken cancellationToken) =>
        new(get().ByTopic.Values.Any(row => row.SourceId == id && row.Status != StreamStatus.Removed));

    public ValueTask<IReadOnlyList<TopicName>> ListExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        new([
            .. get()
                .ByTopic.Values.Where(row => row.Status == StreamStatus.Live && row.HasExpired(now))
                .OrderBy(static row => row.ExpiresAt)
                .Take(limit)
                .Select(static row => row.Topic),
        ]);

    public ValueTask<StreamProducerState?> FindProducerAsync(long id, string producer, CancellationToken cancellationToken) =>
        new(get().Producers.GetValueOrDefault((id, producer)));

    public ValueTask SaveProducerAsync(long id, string producer, StreamProducerState state, CancellationToken cancellationToken) =>
        Set(get() with { Producers = get().Producers.SetItem((id, producer), state) });

    public ValueTask ForgetProducersAsync(long id, CancellationToken cancellationToken) => Set(get().WithoutProducers(id));

    private StreamRow? WithLastEvent(StreamRow? row) => row is null ? null : row with { LastEvent = lastEvent(row.Topic) };

    private ValueTask Set(StreamRows rows)
    {
        (set ?? throw new InvalidOperationException("A read scope cannot change streams. Use a unit of work."))(rows);
        return default;
    }
}
