using Dunlin.Journal;

namespace Dunlin.Backplane;

/// <summary>
/// The backplane that comes with a store that several nodes share. A faster one leans on it: tells it what it has brought so that
/// the store need not ask for it, and sends transient events through it while it cannot send them itself. The implementer's
/// duty is that of <see cref="IBackplane"/>; what a faster backplane says is a hint, which may come late, twice, out of turn or not at
/// all. Safe for concurrent use.
/// </summary>
public interface IStoreBackplane : IBackplane
{
    /// <summary>Says whether a faster backplane brings commits of other nodes with their events now. While it does, the store waits a
    /// moment for them before it reads; while it does not, it reads at once.</summary>
    void HintsCome(bool areComing);

    /// <summary>A faster backplane has handed the node what another has committed: consecutive events, from the one at
    /// <paramref name="first"/> to the one at <paramref name="last"/>.</summary>
    void Hinted(Position first, Position last);

    /// <summary>Connects a faster backplane in place of the node: it hears the transient events of the other nodes, with their numbers,
    /// and nothing of its own. Once, before the start.</summary>
    void Attach(string node, Action<NumberedEvent> heard);

    /// <summary>Passes on a transient event. Numbers of one node grow from call to call.</summary>
    void Send(NumberedEvent sent);
}

/// <summary>A transient event as its node numbered it, by which one that comes two ways is known again.</summary>
/// <param name="Node">The node, by a name that no other and no later one has.</param>
/// <param name="Number">Of this node, from 1.</param>
/// <param name="Event">The event.</param>
public sealed record NumberedEvent(string Node, long Number, DunlinEvent Event);
