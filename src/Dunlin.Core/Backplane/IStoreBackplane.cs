using Dunlin.Journal;

namespace Dunlin.Backplane;

/// <summary>
/// The backplane of a store that several nodes share. A faster backplane can be layered on top of it. Must be thread-safe.
/// </summary>
/// <remarks>
/// The faster backplane reports the commits that it has delivered, so that the store need not read them, and falls back to this one for
/// transient events. The requirements of <see cref="IBackplane"/> apply. Notifications of a faster backplane may be late, duplicated,
/// reordered or lost.
/// </remarks>
internal interface IStoreBackplane : IBackplane
{
    /// <summary>Reports whether a faster backplane currently delivers commits of other nodes with their events.</summary>
    /// <remarks>While it does, the store waits briefly for them before it reads the journal. Otherwise it reads at once.</remarks>
    /// <param name="areComing">Whether commits are delivered.</param>
    void HintsCome(bool areComing);

    /// <summary>Reports that a faster backplane has delivered the consecutive events of another node's commit.</summary>
    /// <param name="first">The position of the first event.</param>
    /// <param name="last">The position of the last event.</param>
    void Hinted(Position first, Position last);

    /// <summary>
    /// Attaches a faster backplane in place of the node. It receives the transient events of other nodes, with their numbers. Call once,
    /// before the start.
    /// </summary>
    /// <param name="node">The unique name of this node.</param>
    /// <param name="receive">Called for each transient event of another node.</param>
    void Attach(string node, Action<NumberedEvent> receive);

    /// <summary>Sends a transient event to the other nodes. The numbers of one node must increase from call to call.</summary>
    /// <param name="sent">The event.</param>
    void Send(NumberedEvent sent);
}

/// <summary>
/// A transient event with the number that its node gave it, to detect an event that arrives over two backplanes. Immutable.
/// </summary>
/// <param name="Node">The name of the node, unique across all nodes and restarts.</param>
/// <param name="Number">The number of the event within the node, from 1.</param>
/// <param name="Event">The event.</param>
internal sealed record NumberedEvent(string Node, long Number, DunlinEvent Event);
