using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Consumers;

/// <summary>Consecutive events of the topics of a group. Valid inside the call of the consumer only. Not thread-safe.</summary>
public sealed class EventBatch
{
    private readonly IStore _store;
    private readonly ConsumerClaim _claim;

    internal EventBatch(
        IStore store,
        ConsumerClaim claim,
        IReadOnlyList<DunlinEvent> events,
        Position after,
        Position through,
        int failures
    )
    {
        (_store, _claim) = (store, claim);
        (Events, After, Through, Failures) = (events, after, through, failures);
    }

    /// <summary>Gets the group.</summary>
    public string Group => _claim.Group;

    /// <summary>Gets the events, in the order of the journal. At least one.</summary>
    public IReadOnlyList<DunlinEvent> Events { get; }

    /// <summary>Gets the position of the cursor before the batch.</summary>
    public Position After { get; }

    /// <summary>Gets the position of the cursor after the batch. It can be after the last event, because other topics are
    /// skipped.</summary>
    public Position Through { get; }

    /// <summary>Gets the number of failed attempts since the last checkpoint. 0 for the first attempt.</summary>
    public int Failures { get; }

    /// <summary>Gets the fencing token of the claim. It increases with each claim of the group. Pass it to systems that can refuse an older
    /// one.</summary>
    public long FencingToken => _claim.Token;

    /// <summary>Moves the cursor of the group within the batch, and extends the claim. The rest of the batch remains to be
    /// processed.</summary>
    /// <param name="through">The position of the last processed event.</param>
    /// <param name="cancellationToken">Cancels the call if its commit has not begun.</param>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in the batch.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the node has lost the claim.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was changed.</exception>
    public async ValueTask CheckpointAsync(Position through, CancellationToken cancellationToken = default) =>
        await _store.WriteAsync((unit, ct) => CheckpointAsync(unit, through, ct), cancellationToken);

    /// <summary>Moves the cursor of the group in a unit of work, together with the effects of the events. If the unit of work rolls back,
    /// so
    /// does the cursor.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="through">The position of the last processed event.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in the batch.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the node has lost the claim. Let the exception roll back the
    /// unit of work.</exception>
    public async ValueTask CheckpointAsync(IUnitOfWork unit, Position through, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(unit);
        if (through.Epoch != Through.Epoch || through.Offset < After.Offset || through.Offset > Through.Offset)
            throw new ArgumentOutOfRangeException(nameof(through), $"The position {through} is not from {After} to {Through}.");
        await _claim.CheckpointAsync(unit, through.Offset, cancellationToken);
    }
}
