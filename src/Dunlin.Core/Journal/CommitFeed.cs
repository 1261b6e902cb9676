using System.Diagnostics;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Journal;

/// <summary>Passes the commits of a store to its subscribers. Thread-safe.</summary>
/// <remarks>
/// The store publishes the events that this node commits: in commit order, never concurrently, before it completes the writers. If only
/// this node writes, consecutive batches have consecutive offsets. Events that other nodes commit in between are read from the journal.
/// Subscribers must return quickly. An exception of a subscriber is logged.
/// </remarks>
internal sealed class CommitFeed
{
    /// <summary>Creates a feed without subscribers.</summary>
    /// <param name="logger">Logs exceptions of subscribers; null disables logging.</param>
    public CommitFeed(ILogger<CommitFeed>? logger = null)
    {
        Committed = new("commits of this node", logger);
        HeadMoved = new("commits of other nodes", logger);
        Traced = new("commit spans of other nodes", logger);
    }

    /// <summary>Publishes the events that this node has committed, with consecutive offsets.</summary>
    internal Signal<IReadOnlyList<DunlinEvent>> Committed { get; }

    /// <summary>Publishes a position up to which other nodes have committed. The journal holds all events up to it.</summary>
    internal Signal<Position> HeadMoved { get; }

    /// <summary>Publishes the trace contexts of commits of other nodes, with the position of the last event of each commit.</summary>
    internal Signal<(Position Through, ActivityContext Commit)> Traced { get; }

    /// <summary>
    /// Publishes the trace context of a commit of another node. The store calls it from any thread, in any order, before
    /// <see cref="NotifyHead"/> for the same position.
    /// </summary>
    /// <param name="through">The position of the last event of the commit.</param>
    /// <param name="commit">The trace context of the commit.</param>
    public void Trace(Position through, ActivityContext commit) => Traced.Publish((through, commit));

    /// <summary>Announces that another node has committed up to a position. The store calls it from any thread, in any order.</summary>
    /// <param name="position">The position of the last committed event.</param>
    public void NotifyHead(Position position) => HeadMoved.Publish(position);

    /// <summary>Publishes the events of a commit of this node. Does not throw.</summary>
    /// <remarks>
    /// The store calls it after the commit is durable and visible to readers. <c>Activity.Current</c> is the span of the commit, if there
    /// is one.
    /// </remarks>
    /// <param name="events">The committed events, with consecutive offsets.</param>
    public void Publish(IReadOnlyList<DunlinEvent> events)
    {
        if (events.Count > 0)
            Committed.Publish(events);
    }
}
