namespace Dunlin.Cluster;

/// <summary>The combined answer of all nodes. Immutable.</summary>
/// <remarks>Each node answers for its own point in time. Use the value for display only, never for decisions about correctness.</remarks>
/// <typeparam name="T">The type of the answer.</typeparam>
/// <param name="Value">The answer, without the data of unresponsive nodes.</param>
/// <param name="UnresponsiveNodes">The number of recently active nodes that have not answered in time. A killed node counts for about ten
/// seconds, a stopped node does not. 0 if their answers could not change the value.</param>
public readonly record struct ClusterAnswer<T>(T Value, int UnresponsiveNodes)
{
    /// <summary>Gets whether all required nodes have answered.</summary>
    public bool IsComplete => UnresponsiveNodes == 0;
}
