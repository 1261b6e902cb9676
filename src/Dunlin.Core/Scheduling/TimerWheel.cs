namespace Dunlin.Scheduling;

/// <summary>
/// One timer for everything that is due some seconds from now: heartbeats, expiries, graces. Entries lie in 256 slots of one
/// second, so that scheduling, moving and cancelling cost the same whatever the number of entries, and no connection owns a
/// timer. An entry becomes due up to one slot late and never early. Safe for concurrent use.
/// </summary>
internal sealed class TimerWheel : IDisposable
{
    /// <summary>The width of a slot, and the precision of everything scheduled here.</summary>
    public static readonly TimeSpan Slot = TimeSpan.FromSeconds(1);

    private const int SlotCount = 256;

    private readonly Lock _gate = new(); // guards the slots, the links of the entries and _tick's growth
    private readonly WheelEntry?[] _slots = new WheelEntry?[SlotCount];
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Action<Exception> _onError;
    private long _tick;

    /// <summary>Starts the wheel.</summary>
    /// <param name="time">The clock; only its timestamps and timers are used.</param>
    /// <param name="onError">Told of an entry that threw; the wheel goes on.</param>
    public TimerWheel(TimeProvider time, Action<Exception>? onError = null)
    {
        _time = time;
        _onError = onError ?? (static _ => { });
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static wheel => ((TimerWheel)wheel!).Turn(), this, Slot, Slot);
    }

    /// <summary>Slots passed since the start: a clock that costs one read.</summary>
    public long Tick => Volatile.Read(ref _tick);

    /// <summary>Makes the entry due after <paramref name="delay"/>, and no longer at any time set before.</summary>
    public void Schedule(WheelEntry entry, TimeSpan delay)
    {
        lock (_gate)
        {
            Unlink(entry);
            // One slot more than the quotient: the current slot is partly over, and early is never allowed.
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

    /// <summary>Takes the entry off the wheel. It may still become due if that has begun.</summary>
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
#pragma warning disable CA1031 // one entry's fault must not stop the others
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

/// <summary>Something that becomes due on a <see cref="TimerWheel"/>; at most once at a time.</summary>
internal abstract class WheelEntry
{
    internal WheelEntry? Next { get; set; }

    internal WheelEntry? Previous { get; set; }

    internal long DueTick { get; set; }

    internal bool IsLinked { get; set; }

    /// <summary>Called once when due, on the wheel's thread: be quick, and hand longer work to the thread pool.</summary>
    protected internal abstract void OnDue();
}
