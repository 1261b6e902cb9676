using System.Diagnostics;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Journal;

/// <summary>
/// Where a store hands over what this node has committed: in commit order, never concurrently, before the writers are
/// answered. Where this node alone writes, each batch comes right after the batch before it; where others write too, what
/// they committed lies between and is found in the journal. Subscribers must be quick; one that throws is logged.
/// </summary>
public sealed class CommitFeed
{
    /// <summary>Creates a feed without subscribers.</summary>
    /// <param name="logger">Logs subscribers that throw; null logs nothing.</param>
    public CommitFeed(ILogger<CommitFeed>? logger = null)
    {
        Committed = new("commits of this node", logger);
        HeadMoved = new("commits of other nodes", logger);
        Traced = new("commit spans of other nodes", logger);
    }

    /// <summary>What this node has committed: consecutive offsets.</summary>
    internal Signal<IReadOnlyList<DunlinEvent>> Committed { get; }

    /// <summary>Other nodes have committed everything up to the position, and the journal holds it.</summary>
    internal Signal<Position> HeadMoved { get; }

    /// <summary>The spans in which other nodes have committed everything up to the position.</summary>
    internal Signal<(Position Through, ActivityContext Commit)> Traced { get; }

    /// <summary>Called by the store when it hears in which span another node has committed everything up to here; from any thread, in any
    /// order, before <see cref="NotifyHead"/> of the same position.</summary>
    public void Trace(Position through, ActivityContext commit) => Traced.Publish((through, commit));

    /// <summary>Called by the store when it finds that another node has committed up to here; from any thread, in any order.</summary>
    public void NotifyHead(Position position) => HeadMoved.Publish(position);

    /// <summary>
    /// Called by the store, after the commit is durable and visible to readers. The span of the commit, if it has one, is current.
    /// Does not throw.
    /// </summary>
    /// <param name="events">Consecutive offsets.</param>
    public void Publish(IReadOnlyList<DunlinEvent> events)
    {
        if (events.Count > 0)
            Committed.Publish(events);
    }
}
