namespace Dunlin.Jobs;

/// <summary>
/// When which job needs a worker, as this node knows it: a memory of what the store holds, never the truth. Adding and
/// taking cost the logarithm of the jobs known. Not safe for concurrent use.
/// </summary>
internal sealed class JobSchedule
{
    private readonly Dictionary<string, (DateTimeOffset Due, long Version)> _entries = new(StringComparer.Ordinal);
    // Holds a superseded entry until it comes up: cheaper than taking it out.
    private readonly PriorityQueue<string, (DateTimeOffset Due, string Id)> _queue = new(
        Comparer<(DateTimeOffset Due, string Id)>.Create(static (a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : string.CompareOrdinal(a.Id, b.Id)));

    public int Count => _entries.Count;

    /// <summary>Notes a job as of a version; what is known of a later version stays.</summary>
    public void Set(string id, DateTimeOffset due, long version)
    {
        if (_entries.TryGetValue(id, out var known) && (known.Version > version || known == (due, version)))
            return;
        _entries[id] = (due, version);
        _queue.Enqueue(id, (due, id));
    }

    public void Remove(string id) => _entries.Remove(id);

    /// <summary>Whether this version of the job, or a later one, has been noted.</summary>
    public bool Knows(string id, long version) => _entries.TryGetValue(id, out var known) && known.Version >= version;

    public DateTimeOffset? Next
    {
        get
        {
            DropSuperseded();
            return _queue.TryPeek(out _, out var first) ? first.Due : null;
        }
    }

    /// <summary>Takes out the job that has been due for longest.</summary>
    public string? TakeDue(DateTimeOffset now)
    {
        DropSuperseded();
        if (!_queue.TryPeek(out var id, out var first) || first.Due > now)
            return null;
        _queue.Dequeue();
        _entries.Remove(id);
        return id;
    }

    private void DropSuperseded()
    {
        while (_queue.TryPeek(out var id, out var first) && !(_entries.TryGetValue(id, out var entry) && entry.Due == first.Due))
            _queue.Dequeue();
    }
}
