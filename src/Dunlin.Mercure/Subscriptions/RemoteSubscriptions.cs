namespace Dunlin.Mercure.Subscriptions;

/// <summary>The copy of the subscriptions of other nodes. Thread-safe.</summary>
internal sealed class RemoteSubscriptions(TimeProvider time)
{
    /// <summary>The time after which a node is dead that has published events but was never seen in the list of nodes.</summary>
    private static readonly TimeSpan Unseen = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new(); // guards all below
    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private HashSet<string>? _ended; // what ended while a copy of the lists is made; null at other times

    public bool IsKnown(string node)
    {
        lock (_gate)
            return _nodes.TryGetValue(node, out var known) && known.IsCopied;
    }

    public IReadOnlyList<SubscriptionDocument> All()
    {
        lock (_gate)
            return [.. _nodes.Values.SelectMany(static node => node.Documents.Values)];
    }

    /// <summary>Applies one event of another node.</summary>
    public void Apply(string name, SubscriptionDocument document)
    {
        lock (_gate)
        {
            if (document.Active)
            {
                var node = NodeOf(name);
                node.Documents[document.Id] = document;
                node.LastEvent = time.GetTimestamp();
                return;
            }
            _ended?.Add(document.Id);
            if (_nodes.TryGetValue(name, out var known))
                known.Documents.Remove(document.Id);
        }
    }

    /// <summary>Begins to remember ends, which overtake the lists of the nodes.</summary>
    public void BeginCopy()
    {
        lock (_gate)
            _ended = new HashSet<string>(StringComparer.Ordinal);
    }

    /// <summary>Adds the lists of the nodes that have answered.</summary>
    public void EndCopy(IEnumerable<NodeSubscriptions> lists)
    {
        lock (_gate)
        {
            foreach (var (name, documents) in lists)
            {
                var node = NodeOf(name);
                node.IsCopied = true;
                foreach (var document in documents.Where(document => _ended?.Contains(document.Id) != true))
                    node.Documents[document.Id] = document;
            }
            _ended = null;
        }
    }

    /// <summary>Removes the nodes that are gone, and returns what they had.</summary>
    /// <param name="alive">The other nodes that announce themselves.</param>
    public IReadOnlyList<(string Node, IReadOnlyList<SubscriptionDocument> Documents)> TakeDead(IReadOnlyCollection<string> alive)
    {
        lock (_gate)
        {
            List<(string, IReadOnlyList<SubscriptionDocument>)> dead = [];
            foreach (var (name, node) in _nodes.Where(pair => !alive.Contains(pair.Key)).ToList())
            {
                // A node that has just started may publish before its first announcement arrives.
                if (!node.IsCopied && time.GetElapsedTime(node.LastEvent) < Unseen)
                    continue;
                _nodes.Remove(name);
                if (node.Documents.Count > 0)
                    dead.Add((name, [.. node.Documents.Values]));
            }
            return dead;
        }
    }

    // Requires _gate.
    private Node NodeOf(string name)
    {
        if (!_nodes.TryGetValue(name, out var node))
            _nodes.Add(name, node = new Node { LastEvent = time.GetTimestamp() });
        return node;
    }

    private sealed class Node
    {
        public Dictionary<string, SubscriptionDocument> Documents { get; } = new(StringComparer.Ordinal);

        public bool IsCopied { get; set; }

        public long LastEvent { get; set; }
    }
}
