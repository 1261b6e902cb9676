namespace Dunlin.Cluster;

/// <summary>What all nodes together answered. Each speaks for a moment of its own, so a sum is a figure to show and no base for
/// decisions.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
/// <param name="Value">The answer, as far as it is known.</param>
/// <param name="UnresponsiveNodes">Nodes that were heard of lately and have not answered in time: what they alone know is missing from
/// <paramref name="Value"/>. A node that was killed counts for some ten seconds, one that stopped does not. 0 where nothing they
/// could say would change the answer.</param>
public readonly record struct ClusterAnswer<T>(T Value, int UnresponsiveNodes)
{
    /// <summary>Whether every node has answered that had to.</summary>
    public bool IsComplete => UnresponsiveNodes == 0;
}
