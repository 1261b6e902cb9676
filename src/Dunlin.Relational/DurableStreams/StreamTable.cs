using System.Globalization;
using Dunlin.DurableStreams;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.DurableStreams;

/// <summary>The streams of one scope. A unit of work holds the lock of the writer, so the rows cannot change concurrently. Not
/// thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="transaction">The open transaction, whose events the store may insert only at the commit; null in a read scope.</param>
internal sealed class StreamTable(Func<ISqlSession> session, Func<WriteTransaction>? transaction) : IStreamTable
{
    public async ValueTask<StreamRow?> FindAsync(TopicName topic, CancellationToken cancellationToken)
    {
        var rows = transaction?.Invoke().StreamRows;
        if (rows is null || !rows.TryGetValue(topic, out var row))
        {
            row = await session().Call("stream_find").Text(topic.Value).FindAsync(ReadRow, cancellationToken);
            if (row is not null)
                rows?.Add(topic, row);
        }
        return WithAppended(row);
    }

    public async ValueTask<StreamRow?> FindAsync(long id, CancellationToken cancellationToken) =>
        WithAppended(await session().Call("stream_find_by_id").Number(id).FindAsync(ReadRow, cancellationToken));

    public async ValueTask SaveAsync(StreamRow row, CancellationToken cancellationToken)
    {
        var writable = Writable();
        transaction!().StreamRows.Remove(row.Topic);
        await writable
            .Call("stream_save")
            .Text(row.Topic.Value)
            .Number(row.Id)
            .Number((int)row.Status)
            .Text(row.ContentType)
            .Number(row.StartsAfter)
            .Number(row.TrimmedThrough)
            .Number(row.TrimDue)
            .Number(row.ClosedAt)
            .Text(
                row.ClosedBy is { } closer
                    ? string.Create(CultureInfo.InvariantCulture, $"{closer.Epoch} {closer.Sequence} {closer.Id}")
                    : null
            )
            .Text(row.LastSequence)
            .Number((long?)row.TimeToLive?.TotalSeconds)
            .Time(row.ExpiresAt)
            .Number(row.SourceId)
            .Text(row.Fork?.Encode())
            .RunAsync(cancellationToken);
    }

    public async ValueTask<bool> HasForksAsync(long id, CancellationToken cancellationToken) =>
        await session().Call("stream_fork_find").Number(id).FindAsync<long?>(static row => row.Number(0), cancellationToken) is not null;

    public ValueTask<IReadOnlyList<TopicName>> ListExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        session()
            .Call("stream_expired")
            .Time(now)
            .Number(limit)
            .ListAsync(static row => TopicName.FromStored(row.Text(0)), cancellationToken);

    public ValueTask<StreamProducerState?> FindProducerAsync(long id, string producer, CancellationToken cancellationToken) =>
        session()
            .Call("stream_producer_find")
            .Number(id)
            .Text(producer)
            .FindAsync<StreamProducerState?>(static row => new StreamProducerState(row.Number(0), row.Number(1)), cancellationToken);

    public async ValueTask SaveProducerAsync(long id, string producer, StreamProducerState state, CancellationToken cancellationToken) =>
        await Writable()
            .Call("stream_producer_save")
            .Number(id)
            .Text(producer)
            .Number(state.Epoch)
            .Number(state.Sequence)
            .RunAsync(cancellationToken);

    public async ValueTask ForgetProducersAsync(long id, CancellationToken cancellationToken) =>
        await Writable().Call("stream_producers_forget").Number(id).RunAsync(cancellationToken);

    private static StreamRow ReadRow(ISqlRow row) =>
        new(TopicName.FromStored(row.Text(0)))
        {
            Id = row.Number(1),
            Status = (StreamStatus)row.Number(2),
            ContentType = row.Text(3),
            StartsAfter = row.Number(4),
            TrimmedThrough = row.Number(5),
            TrimDue = row.IsNull(6) ? null : row.Number(6),
            ClosedAt = row.IsNull(7) ? null : row.Number(7),
            ClosedBy = row.TextOrNull(8) is { } closer ? ReadProducer(closer) : null,
            LastSequence = row.TextOrNull(9),
            TimeToLive = row.IsNull(10) ? null : TimeSpan.FromSeconds(row.Number(10)),
            ExpiresAt = row.TimeOrNull(11),
            SourceId = row.IsNull(12) ? null : row.Number(12),
            Fork = row.TextOrNull(13) is { } fork ? StreamFork.Decode(fork) : null,
            LastEvent = row.Number(14),
        };

    private static StreamProducer ReadProducer(string text)
    {
        var parts = text.Split(' ', 3);
        return new StreamProducer(
            parts[2],
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture)
        );
    }

    private StreamRow? WithAppended(StreamRow? row)
    {
        if (row is null || transaction?.Invoke().Events is not { Count: > 0 } events)
            return row;
        for (var i = events.Count - 1; i >= 0; i--)
        {
            if (events[i].Topic == row.Topic)
                return row with { LastEvent = Math.Max(row.LastEvent, events[i].Position.Offset) };
        }
        return row;
    }

    private ISqlSession Writable() =>
        transaction is not null
            ? session()
            : throw new InvalidOperationException("A read scope cannot change streams. Use a unit of work.");
}
