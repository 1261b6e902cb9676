using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>
/// The last events, in memory, by offset. One writer (the intake of the fan-out), any number of readers without a lock: a
/// reader checks that the slot still holds the offset it asked for.
/// </summary>
internal sealed class EventTail(int capacity, int maxBytes)
{
    private readonly DunlinEvent?[] _slots = new DunlinEvent?[capacity];
    private long _first = 1; // the oldest offset kept
    private long _last; // the newest
    private long _bytes;

    public void Add(DunlinEvent entry)
    {
        var offset = entry.Position.Offset;
        if (_last != 0 && offset != _last + 1)
            Clear(offset);
        if (_last == 0)
            Volatile.Write(ref _first, offset);
        if (offset - _first >= _slots.Length)
            DropOldest();
        _slots[offset % _slots.Length] = entry;
        _bytes += entry.Data.Length;
        Volatile.Write(ref _last, offset);
        while (_bytes > maxBytes && _first < _last)
            DropOldest();
    }

    /// <summary>The event at this offset; null where the tail no longer (or not yet) holds it.</summary>
    public DunlinEvent? Find(long offset)
    {
        if (offset < Volatile.Read(ref _first) || offset > Volatile.Read(ref _last))
            return null;
        var entry = Volatile.Read(ref _slots[offset % _slots.Length]);
        return entry?.Position.Offset == offset ? entry : null;
    }

    private void DropOldest()
    {
        ref var slot = ref _slots[_first % _slots.Length];
        _bytes -= slot?.Data.Length ?? 0;
        Volatile.Write(ref slot, null);
        Volatile.Write(ref _first, _first + 1);
    }

    private void Clear(long next)
    {
        Array.Clear(_slots);
        _bytes = 0;
        Volatile.Write(ref _first, next);
        Volatile.Write(ref _last, 0);
    }
}
