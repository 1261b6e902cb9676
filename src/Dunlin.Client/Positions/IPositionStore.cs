namespace Dunlin.Client;

/// <summary>Keeps positions, so that a restarted process resumes its subscriptions. Implementations must be thread-safe.</summary>
/// <remarks>Delivery is at least once across a restart: the events since the last saved position arrive again. For exactly once, save the
/// position in the transaction that applies the event, and pass it as <see cref="SubscribeOptions.After"/>.</remarks>
public interface IPositionStore
{
    /// <summary>Returns the saved position of a subscription, or null if there is none.</summary>
    /// <param name="name">The name of the subscription.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    ValueTask<StreamPosition?> LoadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Saves a position. A crash during the call must leave the old or the new position.</summary>
    /// <param name="name">The name of the subscription.</param>
    /// <param name="position">The position after which a restarted process continues.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    ValueTask SaveAsync(string name, StreamPosition position, CancellationToken cancellationToken);
}
