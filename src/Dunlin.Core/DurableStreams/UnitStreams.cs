using System.Security.Cryptography;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>
/// Manages durable streams in a unit of work. All changes commit or roll back with it. Not thread-safe, and valid inside the unit of work
/// only.
/// </summary>
/// <remarks>
/// A stream is a topic whose events are kept until the stream is trimmed, deleted or ends. States:
/// <code>
/// live (open -> closed) -> deleted (while forks need the data) -> removed
/// </code>
/// </remarks>
public sealed partial class UnitStreams
{
    private readonly IUnitOfWork _unit;
    private readonly IStreamTable _table;

    internal UnitStreams(IUnitOfWork unit, IStreamTable table) => (_unit, _table) = (unit, table);

    /// <summary>Returns a stream; null if there is none, or it has ended. A deleted stream is returned while it has forks.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<StreamState?> FindAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        await FindRowAsync(topic, cancellationToken) is { } row ? new StreamState(row) : null;

    /// <summary>Appends to a stream, or closes it. Throws if the stream refuses the append.</summary>
    /// <param name="topic">The topic of the stream.</param>
    /// <param name="append">The data, and what it depends on.</param>
    /// <param name="cancellationToken">Cancels the append. The unit of work must then fail.</param>
    /// <returns>The result: appended, or a duplicate of an earlier append.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: there is no such stream. <see cref="ErrorCode.Conflict"/>: the
    /// stream refuses the append. Otherwise as for <see cref="TryAppendAsync"/>.</exception>
    public async ValueTask<StreamResult> AppendAsync(TopicName topic, StreamAppend append, CancellationToken cancellationToken = default) =>
        await TryAppendAsync(topic, append, cancellationToken) switch
        {
            { IsSuccess: true } result => result,
            { Outcome: StreamOutcome.NotFound or StreamOutcome.Deleted } => throw new DunlinException(
                ErrorCode.NotFound,
                $"There is no stream '{topic}'. Create it first."
            ),
            var refused => throw new DunlinException(ErrorCode.Conflict, $"The stream '{topic}' refused the append: {refused.Outcome}."),
        };

    /// <summary>Appends to a stream, or closes it, or returns why it does not.</summary>
    /// <param name="topic">The topic of the stream.</param>
    /// <param name="append">The data, and what it depends on.</param>
    /// <param name="cancellationToken">Cancels the append. The unit of work must then fail.</param>
    /// <returns>The outcome. Nothing changes unless it is <see cref="StreamOutcome.Appended"/>.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: there is no data, or the producer is not valid.
    /// <see cref="ErrorCode.InvalidJson"/>: a message of a JSON stream is no JSON.</exception>
    public async ValueTask<StreamResult> TryAppendAsync(TopicName topic, StreamAppend append, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(append);
        append.Producer?.Check();
        if (append.Messages.Count == 0 && !append.Closes)
            throw new DunlinException(ErrorCode.InvalidField, "The append has no data. Append at least one message.", "messages");
        if (await FindRowAsync(topic, cancellationToken) is not { } row)
            return new StreamResult(StreamOutcome.NotFound, null);
        var known = append.Producer is { } asking ? await _table.FindProducerAsync(row.Id, asking.Id, cancellationToken) : null;
        if (Refusal(row, append, known) is { } refusal)
            return new StreamResult(refusal, new StreamState(row)) { Producer = known };
        var last = await AppendAllAsync(row, append.Messages, append.Origin, cancellationToken);
        var changed = row.Touched(_unit.Now) with { LastEvent = last, LastSequence = append.Sequence ?? row.LastSequence };
        if (append.Closes)
            changed = await CloseAsync(changed with { ClosedBy = append.Producer }, append.Origin, cancellationToken);
        if (changed != row with { LastEvent = last })
            await _table.SaveAsync(changed, cancellationToken);
        if (append.Producer is { } producer)
        {
            known = new StreamProducerState(producer.Epoch, producer.Sequence);
            await _table.SaveProducerAsync(row.Id, producer.Id, known, cancellationToken);
        }
        return new StreamResult(StreamOutcome.Appended, new StreamState(changed)) { Producer = known };
    }

    /// <summary>
    /// Removes the data through an offset, in the background. Readers cannot continue after an offset below it. Forks keep what they
    /// inherited.
    /// </summary>
    /// <param name="topic">The topic of the stream.</param>
    /// <param name="through">The offset of the last append to remove; offsets beyond the tail mean the tail.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <returns>Whether there is such a stream.</returns>
    public async ValueTask<bool> TrimAsync(TopicName topic, long through, CancellationToken cancellationToken = default)
    {
        if (await FindRowAsync(topic, cancellationToken) is not { Status: StreamStatus.Live } row)
            return false;
        through = Math.Min(through, row.End);
        if (through <= row.TrimmedThrough)
            return true;
        // Forks read the events of their source, so its events stay as long as it has forks.
        var due = await _table.HasForksAsync(row.Id, cancellationToken) ? row.TrimDue : through;
        await _table.SaveAsync(row with { TrimmedThrough = through, TrimDue = due }, cancellationToken);
        return true;
    }

    /// <summary>Deletes a stream. Its data goes in the background, or with the last fork that inherited from it.</summary>
    /// <param name="topic">The topic of the stream.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <returns>The stream before the deletion; null if there is none, or it has ended.</returns>
    public async ValueTask<StreamState?> DeleteAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var row = await FindRowAsync(topic, cancellationToken);
        if (row is { Status: StreamStatus.Live })
            await EndAsync(row, cancellationToken);
        return row is null ? null : new StreamState(row);
    }

    /// <summary>Moves the end of a stream with a time to live after a read.</summary>
    internal async ValueTask TouchAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (
            await FindRowAsync(topic, cancellationToken) is { Status: StreamStatus.Live } row
            && row.Touched(_unit.Now) is var touched
            && touched != row
        )
            await _table.SaveAsync(touched, cancellationToken);
    }

    /// <summary>Deletes streams that have ended.</summary>
    /// <returns>The number of streams.</returns>
    internal async ValueTask<int> EndExpiredAsync(int limit, CancellationToken cancellationToken)
    {
        var topics = await _table.ListExpiredAsync(_unit.Now, limit, cancellationToken);
        foreach (var topic in topics)
            await FindRowAsync(topic, cancellationToken);
        return topics.Count;
    }

    private static StreamOutcome? Refusal(StreamRow row, StreamAppend append, StreamProducerState? known)
    {
        if (row.Status == StreamStatus.Deleted)
            return StreamOutcome.Deleted;
        if (row.IsClosed)
        {
            var isRepeated = append.Producer is { } same ? same == row.ClosedBy : append is { Closes: true, Messages.Count: 0 };
            return isRepeated ? StreamOutcome.Duplicate : StreamOutcome.Closed;
        }
        if (append.ContentType is { } type && append.Messages.Count > 0 && !StreamEvents.AreEqual(type, row.ContentType))
            return StreamOutcome.ContentTypeMismatch;
        if (append.Producer is { } producer && ProducerRefusal(producer, known) is { } refusal)
            return refusal;
        return append.Sequence is { } sequence && row.LastSequence is { } last && string.CompareOrdinal(sequence, last) <= 0
            ? StreamOutcome.SequenceRegression
            : null;
    }

    private static StreamOutcome? ProducerRefusal(StreamProducer producer, StreamProducerState? known)
    {
        if (known is null)
            return producer.Sequence == 0 ? null : StreamOutcome.SequenceGap;
        if (producer.Epoch < known.Epoch)
            return StreamOutcome.StaleEpoch;
        if (producer.Epoch > known.Epoch)
            return producer.Sequence == 0 ? null : StreamOutcome.EpochStart;
        if (producer.Sequence <= known.Sequence)
            return StreamOutcome.Duplicate;
        return producer.Sequence == known.Sequence + 1 ? null : StreamOutcome.SequenceGap;
    }

    /// <summary>Returns the offset of the last event of the topic after the append.</summary>
    private async ValueTask<long> AppendAllAsync(
        StreamRow row,
        IReadOnlyList<ReadOnlyMemory<byte>> messages,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        var last = row.LastEvent;
        foreach (var message in messages)
        {
            foreach (var draft in StreamEvents.Split(row.Topic, row.ContentType, message, origin))
                last = (await _unit.AppendAsync(draft, cancellationToken)).Offset;
        }
        return last;
    }

    /// <summary>Returns the row as closed. The tail stays where it is: the event only wakes readers.</summary>
    private async ValueTask<StreamRow> CloseAsync(StreamRow row, EventOrigin? origin, CancellationToken cancellationToken)
    {
        var closed = row with { ClosedAt = row.End };
        return closed with
        {
            LastEvent = (await _unit.AppendAsync(StreamEvents.ClosedEvent(row.Topic, row.End, origin), cancellationToken)).Offset,
        };
    }

    /// <summary>Returns the row of a stream that is live or deleted. Ends it if its time is over.</summary>
    private async ValueTask<StreamRow?> FindRowAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (await _table.FindAsync(topic, cancellationToken) is not { Status: not StreamStatus.Removed } row)
            return null;
        if (row.Status == StreamStatus.Deleted || !row.HasExpired(_unit.Now))
            return row;
        return await EndAsync(row, cancellationToken) is { Status: StreamStatus.Deleted } ended ? ended : null;
    }

    /// <summary>Deletes a live stream, or removes it and the deleted sources that only it needed.</summary>
    private async ValueTask<StreamRow> EndAsync(StreamRow row, CancellationToken cancellationToken)
    {
        var last = await _unit.AppendAsync(StreamEvents.EndedEvent(row.Topic), cancellationToken);
        if (await _table.HasForksAsync(row.Id, cancellationToken))
        {
            row = row with { Status = StreamStatus.Deleted };
            await _table.SaveAsync(row, cancellationToken);
            return row;
        }
        var removed = row with { Status = StreamStatus.Removed, TrimDue = last.Offset };
        for (var next = removed; ; )
        {
            await _table.SaveAsync(next, cancellationToken);
            await _table.ForgetProducersAsync(next.Id, cancellationToken);
            if (next.SourceId is not { } id || await _table.FindAsync(id, cancellationToken) is not { } source)
                return removed;
            if (await _table.HasForksAsync(id, cancellationToken))
                return removed;
            if (source.Status != StreamStatus.Deleted)
            {
                if (source is { Status: StreamStatus.Live, TrimmedThrough: > 0 and var trimmed })
                    await _table.SaveAsync(source with { TrimDue = trimmed }, cancellationToken);
                return removed;
            }
            next = source with { Status = StreamStatus.Removed, TrimDue = source.LastEvent };
        }
    }

    private static long NewId() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;
}
