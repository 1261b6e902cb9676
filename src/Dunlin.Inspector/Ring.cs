namespace Dunlin.Inspector;

/// <summary>Remembers the last entries up to a number, and drops older ones. Thread-safe.</summary>
internal sealed class Ring<T>(int capacity)
{
    private readonly Lock _gate = new(); // guards _entries and _count
    private readonly T[] _entries = new T[capacity];
    private long _count;

    public void Add(T entry)
    {
        lock (_gate)
            _entries[_count++ % capacity] = entry;
    }

    /// <summary>Replaces the newest entry among the last <paramref name="depth"/> that matches, or adds an entry.</summary>
    public void Merge(int depth, Func<T, bool> matches, Func<T, T> merged, Func<T> created)
    {
        lock (_gate)
        {
            var oldest = Math.Max(0, _count - Math.Min(depth, capacity));
            for (var i = _count - 1; i >= oldest; i--)
            {
                ref var entry = ref _entries[i % capacity];
                if (!matches(entry))
                    continue;
                entry = merged(entry);
                return;
            }
            _entries[_count++ % capacity] = created();
        }
    }

    /// <summary>Returns the matching entries, newest first.</summary>
    public List<T> Newest(int limit, Func<T, bool>? matches = null)
    {
        var found = new List<T>();
        lock (_gate)
        {
            for (var i = _count - 1; i >= Math.Max(0, _count - capacity) && found.Count < limit; i--)
            {
                var entry = _entries[i % capacity];
                if (matches is null || matches(entry))
                    found.Add(entry);
            }
        }
        return found;
    }
}
