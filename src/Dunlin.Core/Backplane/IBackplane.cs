using System.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Backplane;

/// <summary>Passes commit notifications and transient events between nodes. Must be thread-safe.</summary>
/// <remarks>
/// An implementation must not block and must not throw. Calls may be reordered. The journal is authoritative: a lost notification costs
/// latency only, because nodes also read the journal. A lost transient event is lost.
/// </remarks>
internal interface IBackplane
{
    /// <summary>Attaches a node. The node receives the messages of other nodes, but not its own.</summary>
    /// <param name="node">The node.</param>
    void Attach(IBackplaneNode node);

    /// <summary>Notifies the other nodes of events that this node has committed.</summary>
    /// <remarks><c>Activity.Current</c> is the span of the commit, if there is one. Propagate its ids if that is cheap.</remarks>
    /// <param name="from">The committing node.</param>
    /// <param name="committed">The committed events, with consecutive offsets.</param>
    void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed);

    /// <summary>Sends a transient event to the other nodes.</summary>
    /// <param name="from">The sending node.</param>
    /// <param name="entry">The event.</param>
    void Transient(IBackplaneNode from, DunlinEvent entry);
}

/// <summary>A node that receives messages of other nodes from a backplane. Must be thread-safe.</summary>
internal interface IBackplaneNode
{
    /// <summary>Handles a commit notification of another node.</summary>
    /// <param name="committed">The committed events, with consecutive offsets.</param>
    void OnCommitNotification(IReadOnlyList<DunlinEvent> committed);

    /// <summary>Handles the notification that another node has committed all events up to a position. The journal holds them.</summary>
    /// <param name="position">The position of the last committed event.</param>
    void OnReached(Position position);

    /// <summary>Handles the trace context of a commit of another node, to link it from the delivery span.</summary>
    /// <remarks>Call it before <see cref="OnCommitNotification"/> or <see cref="OnReached"/> for the same commit.</remarks>
    /// <param name="through">The position of the last event of the commit.</param>
    /// <param name="commit">The trace context of the commit.</param>
    void OnTraced(Position through, ActivityContext commit) { }

    /// <summary>Handles a transient event of another node.</summary>
    /// <param name="entry">The event.</param>
    void OnTransient(DunlinEvent entry);
}
