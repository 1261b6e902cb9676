using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

public sealed partial class UnitStreams
{
    /// <summary>The maximum number of parts of topics that hold the inherited data of a fork: 256. Bounds a row and a read.</summary>
    internal const int MaxSegments = 256;

    /// <summary>Creates a stream, or returns the existing one if it has the same settings.</summary>
    /// <param name="topic">The topic. Events that it already has do not belong to the stream.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <returns>The outcome and the stream. Nothing changes unless it is <see cref="StreamOutcome.Created"/>.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: a setting is not valid. <see cref="ErrorCode.InvalidJson"/>:
    /// a message of a JSON stream is no JSON.</exception>
    public async ValueTask<StreamResult> CreateAsync(
        TopicName topic,
        StreamSettings settings,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        if (await FindRowAsync(topic, cancellationToken) is { } existing)
            return new StreamResult(OutcomeFor(existing, settings), new StreamState(existing));
        StreamRow? source = null;
        StreamFork? fork = null;
        if (settings.ForkOf is { } point)
        {
            source = await FindRowAsync(point.Topic, cancellationToken);
            if (ForkRefusal(source, settings, point) is { } refusal)
                return new StreamResult(refusal, source is null ? null : new StreamState(source));
            fork = ForkOf(source!, point);
            if (fork.Inherited.Count > MaxSegments)
                throw DunlinException.Limit(MaxSegments, "forks of forks for each stream");
        }
        var before = (await _unit.NextPositionAsync(cancellationToken)).Offset - 1;
        // A removed stream of the same name may still have events, which are trimmed with those of the new one.
        var replaced = await _table.FindAsync(topic, cancellationToken);
        var row = new StreamRow(topic)
        {
            Id = NewId(),
            ContentType = settings.ContentType ?? source?.ContentType ?? "application/octet-stream",
            StartsAfter = before,
            TrimmedThrough = source?.TrimmedThrough ?? 0,
            TrimDue = replaced is null ? null : before,
            SourceId = source?.Id,
            Fork = fork,
        };
        row = WithEnd(row, settings, source);
        row = row with { LastEvent = await AppendAllAsync(row, settings.Messages, settings.Origin, cancellationToken) };
        if (settings.IsClosed)
            row = await CloseAsync(row, settings.Origin, cancellationToken);
        await _table.SaveAsync(row, cancellationToken);
        return new StreamResult(StreamOutcome.Created, new StreamState(row));
    }

    private static StreamOutcome OutcomeFor(StreamRow row, StreamSettings settings)
    {
        if (row.Status == StreamStatus.Deleted)
            return StreamOutcome.Deleted;
        var isSame =
            (settings.ContentType is null && settings.ForkOf is not null)
            || StreamEvents.AreEqual(settings.ContentType ?? "application/octet-stream", row.ContentType);
        isSame &= settings.IsClosed == row.IsClosed;
        isSame &= settings.ForkOf?.Topic.Value == row.Fork?.From;
        if (settings.ForkOf is { } point && row.Fork is { } fork)
            isSame &= (point.Offset is null || point.Offset == fork.Anchor) && point.SubOffset == fork.SubOffset;
        // A fork without an end of its own has that of its source.
        if (settings.ForkOf is null || settings.TimeToLive is not null || settings.ExpiresAt is not null)
            isSame &= settings.TimeToLive == row.TimeToLive && (row.TimeToLive is not null || settings.ExpiresAt == row.ExpiresAt);
        return isSame ? StreamOutcome.Duplicate : StreamOutcome.SettingsMismatch;
    }

    private static StreamOutcome? ForkRefusal(StreamRow? source, StreamSettings settings, StreamForkPoint point)
    {
        if (source is null)
            return StreamOutcome.SourceNotFound;
        if (source.Status == StreamStatus.Deleted)
            return StreamOutcome.SourceDeleted;
        if (settings.ContentType is { } type && !StreamEvents.AreEqual(type, source.ContentType))
            return StreamOutcome.ContentTypeMismatch;
        if (point.SubOffset > 0 && point.Resolved is null)
            return StreamOutcome.ForkOutOfRange;
        var offset = point.Resolved?.Offset ?? point.Offset ?? source.End;
        var isTrimmed = point.Offset > 0 && point.Offset < source.TrimmedThrough;
        return point.SubOffset < 0 || offset < 0 || offset > source.End || isTrimmed ? StreamOutcome.ForkOutOfRange : null;
    }

    private static StreamFork ForkOf(StreamRow source, StreamForkPoint point)
    {
        var anchor = point.Offset ?? source.End;
        var (offset, cut) = point.Resolved ?? (anchor, 0);
        return new StreamFork(source.Topic.Value, offset, cut, anchor, point.SubOffset, [.. source.SegmentsThrough(offset, cut)]);
    }

    private StreamRow WithEnd(StreamRow row, StreamSettings settings, StreamRow? source)
    {
        var (life, end) =
            settings.TimeToLive is null && settings.ExpiresAt is null
                ? (source?.TimeToLive, source?.ExpiresAt)
                : (settings.TimeToLive, settings.ExpiresAt);
        return life is null ? row with { ExpiresAt = end } : (row with { TimeToLive = life, ExpiresAt = _unit.Now }).Touched(_unit.Now);
    }
}
