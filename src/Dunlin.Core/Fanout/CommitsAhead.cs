using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>
/// Hinted events that lie beyond what the node has reached: kept while the journal is read for what is missing, so that the reading
/// ends where they begin, and need not run after new ones for ever. Bounded; what does not fit is read as well. Not for
/// concurrent use.
/// </summary>
internal sealed class CommitsAhead
{
    /// <summary>Bounds the memory; as many as some pages of the journal.</summary>
    private const int MaxEvents = 4_096;

    private readonly SortedDictionary<long, IReadOnlyList<DunlinEvent>> _batches = [];
    private int _events;

    public void Add(IReadOnlyList<DunlinEvent> events)
    {
        if (_events + events.Count <= MaxEvents && _batches.TryAdd(events[0].Position.Offset, events))
            _events += events.Count;
    }

    /// <summary>Takes the events that continue what was reached; null where there are none.</summary>
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

    /// <summary>The events after an offset.</summary>
    public static IReadOnlyList<DunlinEvent> After(IReadOnlyList<DunlinEvent> events, long offset)
    {
        if (events.Count == 0 || events[0].Position.Offset > offset)
            return events;
        return events[^1].Position.Offset <= offset ? [] : [.. events.SkipWhile(entry => entry.Position.Offset <= offset)];
    }
}
