using System.Collections.Immutable;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Backplane;

/// <summary>Connects the nodes of one process: one node normally, several in tests.</summary>
public sealed class InProcessBackplane : IBackplane
{
    private ImmutableArray<IBackplaneNode> _nodes = [];

    /// <inheritdoc/>
    public void Attach(IBackplaneNode node) => ImmutableInterlocked.Update(ref _nodes, static (nodes, added) => nodes.Add(added), node);

    /// <inheritdoc/>
    public void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed)
    {
        foreach (var node in _nodes)
        {
            if (ReferenceEquals(node, from))
                continue;
            if (DunlinActivities.CurrentCommit is { } commit)
                node.OnTraced(committed[^1].Position, commit);
            node.OnCommitNotification(committed);
        }
    }

    /// <inheritdoc/>
    public void Transient(IBackplaneNode from, DunlinEvent entry)
    {
        foreach (var node in _nodes)
        {
            if (!ReferenceEquals(node, from))
                node.OnTransient(entry);
        }
    }
}
