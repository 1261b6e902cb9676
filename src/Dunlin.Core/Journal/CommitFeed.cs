using System.Diagnostics;

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
    private Action<Position, ActivityContext>? _traced;

    /// <summary>Adds a receiver; receivers are called in the order they were added. Not for use after start.</summary>
    public void Subscribe(Action<IReadOnlyList<Event>> receiver) => _receivers += receiver;

    /// <summary>
    /// Adds a receiver of what others have committed: the journal holds everything up to the position. Not for use after start.
    /// </summary>
    public void SubscribeReached(Action<Position> receiver) => _reached += receiver;

    /// <summary>Adds a receiver of the spans in which other nodes have committed. Not for use after start.</summary>
    public void SubscribeTraced(Action<Position, ActivityContext> receiver) => _traced += receiver;

    /// <summary>Called by the store when it hears in which span another node has committed everything up to here; from any thread, in any
    /// order, before <see cref="Reach"/> of the same position.</summary>
    public void Trace(Position through, ActivityContext commit) => _traced?.Invoke(through, commit);

    /// <summary>Called by the store when it finds that another node has committed up to here; from any thread, in any order.</summary>
    public void Reach(Position position) => _reached?.Invoke(position);

    /// <summary>
    /// Called by the store, after the commit is durable and visible to readers. The span of the commit, if it has one, is current.
    /// </summary>
    /// <param name="events">Consecutive offsets.</param>
    public void Publish(IReadOnlyList<Event> events)
    {
        if (events.Count > 0)
            _receivers?.Invoke(events);
    }
}
