using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>
/// Buffers events of commit notifications beyond the delivered head while the node reads the missing events from the journal. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// The read ends where the buffered events begin, so it does not have to follow a growing head. The buffer is bounded; events that do not
/// fit are read from the journal too.
/// </remarks>
internal sealed class CommitsAhead
{
    /// <summary>Bounds the memory: the size of a few journal pages.</summary>
    private const int MaxEvents = 4_096;

    private readonly SortedDictionary<long, IReadOnlyList<DunlinEvent>> _batches = [];
    private int _events;

    public void Add(IReadOnlyList<DunlinEvent> events)
    {
        if (_events + events.Count <= MaxEvents && _batches.TryAdd(events[0].Position.Offset, events))
            _events += events.Count;
    }

    /// <summary>Removes and returns the events that directly follow <paramref name="reached"/>; null if there are none.</summary>
    public IReadOnlyList<DunlinEvent>? Take(long reached)
    {
        while (_batches.Count > 0)
        {
            var (first, events) = _batches.First();
            if (first > reached + 1)
                return null;
            _batches.Remove(first);
            _events -= events.Count;
            if (After(events, reached) is { Count: > 0 } rest)
                return rest;
        }
        return null;
    }

    /// <summary>Returns the events after an offset.</summary>
    public static IReadOnlyList<DunlinEvent> After(IReadOnlyList<DunlinEvent> events, long offset)
    {
        if (events.Count == 0 || events[0].Position.Offset > offset)
            return events;
        return events[^1].Position.Offset <= offset ? [] : [.. events.SkipWhile(entry => entry.Position.Offset <= offset)];
    }
}
