namespace Dunlin.Journal;

/// <summary>
/// Where a store hands over what it has committed: in commit order, each batch right after the batch before it, never
/// concurrently, before the writers are answered. Receivers must be quick and must not throw.
/// </summary>
public sealed class CommitFeed
{
    private Action<IReadOnlyList<Event>>? _receivers;

    /// <summary>Adds a receiver; receivers are called in the order they were added. Not for use after start.</summary>
    public void Subscribe(Action<IReadOnlyList<Event>> receiver) => _receivers += receiver;

    /// <summary>Called by the store, after the commit is durable and visible to readers.</summary>
    /// <param name="events">Consecutive offsets.</param>
    public void Publish(IReadOnlyList<Event> events)
    {
        if (events.Count > 0)
            _receivers?.Invoke(events);
    }
}
