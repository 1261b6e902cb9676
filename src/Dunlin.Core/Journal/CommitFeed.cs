namespace Dunlin.Journal;

/// <summary>
/// Where a store hands over what this node has committed: in commit order, never concurrently, before the writers are
/// answered. Where this node alone writes, each batch comes right after the batch before it; where others write too, what
/// they committed lies between and is found in the journal. Receivers must be quick and must not throw.
/// </summary>
public sealed class CommitFeed
{
    private Action<IReadOnlyList<Event>>? _receivers;
    private Action<Position>? _reached;

    /// <summary>Adds a receiver; receivers are called in the order they were added. Not for use after start.</summary>
    public void Subscribe(Action<IReadOnlyList<Event>> receiver) => _receivers += receiver;

    /// <summary>Adds a receiver of what others have committed: the journal holds everything up to the position. Not for use after start.</summary>
    public void SubscribeReached(Action<Position> receiver) => _reached += receiver;

    /// <summary>Called by the store when it finds that another node has committed up to here; from any thread, in any order.</summary>
    public void Reach(Position position) => _reached?.Invoke(position);

    /// <summary>Called by the store, after the commit is durable and visible to readers.</summary>
    /// <param name="events">Consecutive offsets.</param>
    public void Publish(IReadOnlyList<Event> events)
    {
        if (events.Count > 0)
            _receivers?.Invoke(events);
    }
}
