using Dunlin.Journal;

namespace Dunlin.Consumers;

/// <summary>Processes stored events in order, with a durable cursor. Add it with <c>AddEventConsumer</c>.</summary>
/// <remarks>
/// All nodes of a store share the cursor of a group, and one node at a time processes its events. Each event is delivered at least once:
/// after a failure, a kill or a lost claim, the events after the last checkpoint are delivered again. Make the effects idempotent by
/// <see cref="DunlinEvent.Position"/>, or save them in the unit of work of
/// <see cref="EventBatch.CheckpointAsync(IUnitOfWork, Position, CancellationToken)"/>.
/// </remarks>
/// <example>
/// <code>
/// public sealed class SearchIndexer(SearchIndex index) : IEventConsumer
/// {
///     public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken) =>
///         await index.UpdateAsync(batch.Events, cancellationToken);
/// }
/// </code>
/// </example>
public interface IEventConsumer
{
    /// <summary>Processes a batch. When it returns, the cursor of the group moves to <see cref="EventBatch.Through"/>.</summary>
    /// <remarks>An exception leaves the cursor where it is. The batch is delivered again after a back-off.</remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="cancellationToken">Cancelled when the host stops or the node loses the claim. Stop at once then.</param>
    ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken);

    /// <summary>Reports that retention removed events before the group had processed them. The events cannot be delivered any
    /// more.</summary>
    /// <remarks>
    /// Called before the next batch. An exception leaves the cursor where it is, and the gap is reported again after a back-off. The
    /// default
    /// implementation does nothing: the engine logs and counts each gap.
    /// </remarks>
    /// <param name="gap">The gap.</param>
    /// <param name="cancellationToken">Cancelled when the host stops or the node loses the claim.</param>
    ValueTask OnGapAsync(EventGap gap, CancellationToken cancellationToken) => default;
}

/// <summary>A consumer with work of its own while the node holds the claim.</summary>
internal interface IHeldConsumer : IEventConsumer
{
    /// <summary>Prepares the work, before the first batch of a claim.</summary>
    Task BeginAsync(ConsumerClaim claim, CancellationToken holding);

    /// <summary>Works until the token is cancelled. Its end or fault ends the claim.</summary>
    Task HoldAsync(CancellationToken holding);
}

/// <summary>Events that retention removed before a group had processed them. Immutable.</summary>
/// <param name="Group">The group.</param>
/// <param name="After">The position of the cursor. Events after it are missing.</param>
/// <param name="Through">The position that the cursor gets next. Events through it that are not in the next batch were removed or are on
/// other topics.</param>
public sealed record EventGap(string Group, Position After, Position Through);
