namespace Dunlin.Fanout;

/// <summary>The publish requests that wait for admission. Publishers take turns, however many requests each of them has. Not
/// thread-safe.</summary>
internal sealed class FlowQueue
{
    private readonly Dictionary<string, LinkedList<FlowRequest>> _publishers = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _turns = [];

    /// <summary>Gets the number of waiting requests.</summary>
    public int Count { get; private set; }

    public FlowRequest Add(string publisher, int events)
    {
        if (!_publishers.TryGetValue(publisher, out var requests))
        {
            _publishers.Add(publisher, requests = []);
            _turns.AddLast(publisher);
        }
        var request = new FlowRequest(publisher, events);
        request.Node = requests.AddLast(request);
        Count++;
        return request;
    }

    /// <summary>Removes and returns the oldest request of the publisher whose turn it is.</summary>
    public FlowRequest Take()
    {
        var publisher = _turns.First!.Value;
        _turns.RemoveFirst();
        var requests = _publishers[publisher];
        var request = requests.First!.Value;
        requests.RemoveFirst();
        Count--;
        if (requests.Count > 0)
            _turns.AddLast(publisher);
        else
            _publishers.Remove(publisher);
        return request;
    }

    /// <summary>Removes a request that waits no longer. It must be in the queue.</summary>
    public void Remove(FlowRequest request)
    {
        var requests = _publishers[request.Publisher];
        requests.Remove(request.Node!);
        Count--;
        if (requests.Count > 0)
            return;
        _publishers.Remove(request.Publisher);
        _turns.Remove(request.Publisher);
    }
}

/// <summary>A publish request that waits for admission.</summary>
internal sealed class FlowRequest(string publisher, int events)
{
    public string Publisher { get; } = publisher;

    public int Events { get; } = events;

    /// <summary>Gets the source that completes when the request is admitted.</summary>
    public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets or sets the place in the list of the publisher. Owned by the queue.</summary>
    public LinkedListNode<FlowRequest>? Node { get; set; }
}
