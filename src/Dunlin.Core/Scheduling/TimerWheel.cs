namespace Dunlin.Scheduling;

/// <summary>A timer shared by all short delays of a node: heartbeats, expiries, grace periods. Thread-safe.</summary>
/// <remarks>
/// Entries are in 256 slots of one second. Scheduling, moving and cancelling take constant time, and no connection needs its own timer. An
/// entry is never early and at most one slot late.
/// </remarks>
internal sealed class TimerWheel : IDisposable
{
    /// <summary>The width of a slot and the precision of all entries: one second.</summary>
    public static readonly TimeSpan Slot = TimeSpan.FromSeconds(1);

    private const int SlotCount = 256;

    private readonly Lock _gate = new(); // guards the slots, the links of the entries, and writes to _tick
    private readonly WheelEntry?[] _slots = new WheelEntry?[SlotCount];
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Action<Exception> _onError;
    private long _tick;

    /// <summary>Starts the wheel.</summary>
    /// <param name="time">The time provider. Only its timestamps and timers are used.</param>
    /// <param name="onError">Called with the exception of an entry; null ignores it. The wheel continues.</param>
    public TimerWheel(TimeProvider time, Action<Exception>? onError = null)
    {
        _time = time;
        _onError = onError ?? (static _ => { });
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static wheel => ((TimerWheel)wheel!).Turn(), this, Slot, Slot);
    }

    /// <summary>Gets the number of slots since the start: a clock with a precision of one second that is cheap to read.</summary>
    public long Tick => Volatile.Read(ref _tick);

    /// <summary>Schedules an entry after a delay. Replaces its earlier schedule.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="delay">The delay, rounded up to whole slots.</param>
    public void Schedule(WheelEntry entry, TimeSpan delay)
    {
        lock (_gate)
        {
            Unlink(entry);
            // Round up from the current time, not from the start of the current slot: an entry must never be early.
            var slots = Math.Max(1, (long)Math.Ceiling((_time.GetElapsedTime(_start) + delay) / Slot) - _tick);
            entry.DueTick = _tick + slots;
            ref var head = ref _slots[entry.DueTick % SlotCount];
            entry.Next = head;
            if (head is not null)
                head.Previous = entry;
            head = entry;
            entry.IsLinked = true;
        }
    }

    /// <summary>Cancels an entry. A call of the entry that has already begun continues.</summary>
    /// <param name="entry">The entry.</param>
    public void Cancel(WheelEntry entry)
    {
        lock (_gate)
            Unlink(entry);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Turn()
    {
        List<WheelEntry>? due = null;
        lock (_gate)
        {
            var target = (long)(_time.GetElapsedTime(_start) / Slot);
            while (_tick < target)
            {
                _tick++;
                for (var entry = _slots[_tick % SlotCount]; entry is not null; )
                {
                    var next = entry.Next;
                    if (entry.DueTick <= _tick)
                    {
                        Unlink(entry);
                        (due ??= []).Add(entry);
                    }
                    entry = next;
                }
            }
        }
        foreach (var entry in due ?? [])
        {
            try
            {
                entry.OnDue();
            }
#pragma warning disable CA1031 // an exception of one entry must not stop the others
            catch (Exception error)
#pragma warning restore CA1031
            {
                _onError(error);
            }
        }
    }

    private void Unlink(WheelEntry entry)
    {
        if (!entry.IsLinked)
            return;
        if (entry.Previous is not null)
            entry.Previous.Next = entry.Next;
        else
            _slots[entry.DueTick % SlotCount] = entry.Next;
        if (entry.Next is not null)
            entry.Next.Previous = entry.Previous;
        entry.Next = entry.Previous = null;
        entry.IsLinked = false;
    }
}

/// <summary>An entry of a <see cref="TimerWheel"/>. An entry is scheduled at most once at a time.</summary>
internal abstract class WheelEntry
{
    internal WheelEntry? Next { get; set; }

    internal WheelEntry? Previous { get; set; }

    internal long DueTick { get; set; }

    internal bool IsLinked { get; set; }

    /// <summary>
    /// Called once when the entry is due, on the thread of the wheel. Must return quickly: run longer work on the thread pool.
    /// </summary>
    protected internal abstract void OnDue();
}
