using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>What became of a request of a worker.</summary>
internal enum StreamClaimOutcome
{
    Ok,
    NotFound,
    AlreadyClaimed,
    NoPendingWork,

    /// <summary>The wake of the request has ended.</summary>
    Fenced,

    /// <summary>An acknowledged offset is not between the cursor and the tail of a stream of the subscription.</summary>
    InvalidOffset,
}

/// <summary>The result of a request of a worker. Immutable.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Row">The subscription after the request; null if there is none.</param>
internal sealed record StreamClaimResult(StreamClaimOutcome Outcome, StreamSubscription? Row)
{
    /// <summary>Gets the pending streams of a claim.</summary>
    public IReadOnlyList<StreamLink> Links { get; init; } = [];

    /// <summary>Gets whether the subscription has pending streams after the wake has ended.</summary>
    public bool HasNext { get; init; }
}

/// <summary>An acknowledgement. Immutable.</summary>
/// <param name="Topic">The topic of the stream.</param>
/// <param name="Offset">The last offset that the worker has processed. Null, which is refused, for one before the start.</param>
internal sealed record StreamAck(TopicName Topic, long? Offset);

/// <summary>The wake that a request means. Immutable.</summary>
/// <param name="Incarnation">That of the subscription.</param>
/// <param name="WakeId">The id of the wake.</param>
/// <param name="Generation">The generation, which token and request have in common.</param>
internal sealed record StreamWakeKey(string Incarnation, string WakeId, long Generation);

internal sealed partial class UnitStreamSubscriptions
{
    /// <summary>Gives the lease to a worker, unless another one holds it or nothing is pending.</summary>
    public async ValueTask<StreamClaimResult> ClaimAsync(string id, string worker, CancellationToken cancellationToken)
    {
        if (await _table.FindAsync(id, cancellationToken) is not { } row)
            return new StreamClaimResult(StreamClaimOutcome.NotFound, null);
        if (row.Holder is not null && row.LeaseUntil > _unit.Now)
            return new StreamClaimResult(StreamClaimOutcome.AlreadyClaimed, row);
        var links = await PendingAsync(row, cancellationToken);
        // A lease that has ended leaves its generation to the lost worker.
        row = row.Holder is null ? row : row.Ended(null);
        if (links.Count > 0)
            row = Hold(row.WakeId is null ? Woken(row) : row) with { Holder = worker, Snapshot = Tails(links) };
        await _table.SaveAsync(row, cancellationToken);
        return new StreamClaimResult(links.Count > 0 ? StreamClaimOutcome.Ok : StreamClaimOutcome.NoPendingWork, row) { Links = links };
    }

    /// <summary>Moves cursors, and extends the lease or ends the wake.</summary>
    /// <returns>The result. Nothing changes unless it is <see cref="StreamClaimOutcome.Ok"/>.</returns>
    public async ValueTask<StreamClaimResult> AckAsync(
        string id,
        StreamWakeKey wake,
        IReadOnlyList<StreamAck> acks,
        bool isDone,
        CancellationToken cancellationToken
    )
    {
        var current = await CheckAsync(id, wake, cancellationToken);
        if (current is not { Outcome: StreamClaimOutcome.Ok, Row: { } row })
            return current;
        var moved = new List<StreamLink>();
        foreach (var ack in acks)
        {
            if (
                await _table.FindLinkAsync(id, ack.Topic, cancellationToken) is not { } link
                || ack.Offset is not { } offset
                || offset < link.Acked
                || offset > (await Streams.FindAsync(ack.Topic, cancellationToken))?.Tail
            )
                return current with { Outcome = StreamClaimOutcome.InvalidOffset };
            moved.Add(link with { Acked = offset });
        }
        foreach (var link in moved)
            await _table.SaveLinkAsync(link, cancellationToken);
        row = row.Succeeded();
        if (isDone)
            return await EndAsync(row, cancellationToken);
        // A delivery that is under way sets the lease with its answer.
        row = row.IsSending ? row : Hold(row);
        await _table.SaveAsync(row, cancellationToken);
        return new StreamClaimResult(StreamClaimOutcome.Ok, row);
    }

    /// <summary>Ends the wake of a worker without acknowledgement.</summary>
    public async ValueTask<StreamClaimResult> ReleaseAsync(string id, StreamWakeKey wake, CancellationToken cancellationToken)
    {
        var current = await CheckAsync(id, wake, cancellationToken);
        return current is { Outcome: StreamClaimOutcome.Ok, Row: { } row } ? await EndAsync(row, cancellationToken) : current;
    }

    private StreamSubscription Hold(StreamSubscription row) =>
        row with
        {
            LeaseUntil = _unit.Now + row.LeaseDuration,
            DueAt = _unit.Now + row.LeaseDuration,
        };

    private async ValueTask<StreamClaimResult> CheckAsync(string id, StreamWakeKey wake, CancellationToken cancellationToken)
    {
        if (await _table.FindAsync(id, cancellationToken) is not { } row)
            return new StreamClaimResult(StreamClaimOutcome.NotFound, null);
        var isCurrent = row.Incarnation == wake.Incarnation && row.WakeId == wake.WakeId && row.Generation == wake.Generation;
        // Fence at the end of the lease, also if no node has acted on it yet.
        isCurrent &= row.LeaseUntil is not { } until || until > _unit.Now;
        return new StreamClaimResult(isCurrent ? StreamClaimOutcome.Ok : StreamClaimOutcome.Fenced, row);
    }

    private async ValueTask<StreamClaimResult> EndAsync(StreamSubscription row, CancellationToken cancellationToken)
    {
        var hasNext = (await PendingAsync(row, cancellationToken)).Count > 0;
        row = row.Ended(hasNext ? _unit.Now : null);
        if (hasNext && !row.IsWebhook)
            row = await AnnounceAsync(row, cancellationToken);
        await _table.SaveAsync(row, cancellationToken);
        return new StreamClaimResult(StreamClaimOutcome.Ok, row) { HasNext = hasNext };
    }
}
