using System.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Backplane;

/// <summary>
/// Node-to-node hints that something committed; never the truth. The implementer's duty: never block, never throw; losing
/// a hint costs latency only, because nodes also find out by reading the journal; a transient event that is lost is lost.
/// Order between calls need not be kept. Safe for concurrent use.
/// </summary>
public interface IBackplane
{
    /// <summary>Connects a node; it is called for what the others tell, never for what it told itself.</summary>
    void Attach(IBackplaneNode node);

    /// <summary>Tells the other nodes what this one has committed. The span of the commit, if it has one, is current: pass its ids on where
    /// that costs little.</summary>
    void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed);

    /// <summary>Passes on a transient event.</summary>
    void Transient(IBackplaneNode from, DunlinEvent entry);
}

/// <summary>What a node does with what it is told.</summary>
public interface IBackplaneNode
{
    /// <summary>Another node committed these consecutive events (or at least reached the last one).</summary>
    void OnCommitNotification(IReadOnlyList<DunlinEvent> committed);

    /// <summary>Another node committed everything up to here; the events are in the journal.</summary>
    void OnReached(Position position);

    /// <summary>Another node committed everything up to here in this span. Call it before <see cref="OnCommitNotification"/> or <see
    /// cref="OnReached"/>
    /// of the same commit; the span of the delivery links to it.</summary>
    void OnTraced(Position through, ActivityContext commit) { }

    /// <summary>A transient event from another node.</summary>
    void OnTransient(DunlinEvent entry);
}
