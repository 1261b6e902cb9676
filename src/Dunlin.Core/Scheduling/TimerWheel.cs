namespace Dunlin.Scheduling;

/// <summary>A timer shared by all short delays of a node: heartbeats, expiries, grace periods. Thread-safe.</summary>
/// <remarks>
/// Entries are in 256 slots of one second. Scheduling, moving and cancelling take constant time, and no connection needs its own timer. An
/// entry is never early and at most one slot late. An exact entry spends its last slot in a queue with one timer for all: it fires within
/// the precision of the platform's timers, about a millisecond.
/// </remarks>
internal sealed class TimerWheel : IDisposable
{
    /// <summary>The width of a slot and the precision of all entries: one second.</summary>
    public static readonly TimeSpan Slot = TimeSpan.FromSeconds(1);

    private const int SlotCount = 256;

    private readonly Lock _gate = new(); // guards the slots, the links of the entries, _soon, _armedFor and writes to _tick
    private readonly WheelEntry?[] _slots = new WheelEntry?[SlotCount];
    private readonly PriorityQueue<WheelEntry, TimeSpan> _soon = new(); // also holds entries that were moved or cancelled since
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly ITimer _exactTimer;
    private readonly Action<Exception> _onError;
    private TimeSpan _armedFor = TimeSpan.MaxValue;
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
        _exactTimer = time.CreateTimer(
            static wheel => ((TimerWheel)wheel!).FireExact(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
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
            Link(entry, _tick + slots);
        }
    }

    /// <summary>Schedules an entry after a delay, to the millisecond. Replaces its earlier schedule.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="delay">The delay. Zero or less fires at once, on the thread pool.</param>
    public void ScheduleExact(WheelEntry entry, TimeSpan delay)
    {
        lock (_gate)
        {
            Unlink(entry);
            var due = _time.GetElapsedTime(_start) + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero);
            entry.ExactDue = due;
            // The last slot that begins before the entry is due.
            var tick = (long)(due / Slot);
            if (tick > _tick)
                Link(entry, tick);
            else
                QueueExact(entry);
        }
    }

    /// <summary>Cancels an entry. A call of the entry that has already begun continues, and one that is due may still begin: see
    /// <see cref="IsScheduled"/>.</summary>
    /// <param name="entry">The entry.</param>
    public void Cancel(WheelEntry entry)
    {
        lock (_gate)
            Unlink(entry);
    }

    /// <summary>Returns whether an entry is scheduled. During a call of the entry, this means that it was scheduled again before the call
    /// began: the call is out of date.</summary>
    /// <param name="entry">The entry.</param>
    public bool IsScheduled(WheelEntry entry)
    {
        lock (_gate)
            return entry.IsLinked || entry.ExactDue != default;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _exactTimer.Dispose();
    }

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
                        var exact = entry.ExactDue;
                        Unlink(entry);
                        if ((entry.ExactDue = exact) == default)
                            (due ??= []).Add(entry);
                        else
                            QueueExact(entry);
                    }
                    entry = next;
                }
            }
        }
        Fire(due);
    }

    private void FireExact()
    {
        List<WheelEntry>? due = null;
        lock (_gate)
        {
            _armedFor = TimeSpan.MaxValue;
            var elapsed = _time.GetElapsedTime(_start);
            while (_soon.TryPeek(out var entry, out var at) && at <= elapsed)
            {
                _soon.Dequeue();
                if (entry.IsLinked || entry.ExactDue != at)
                    continue; // moved or cancelled
                entry.ExactDue = default;
                (due ??= []).Add(entry);
            }
            ArmExact();
        }
        Fire(due);
    }

    private void Fire(List<WheelEntry>? due)
    {
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

    // Requires _gate.
    private void QueueExact(WheelEntry entry)
    {
        _soon.Enqueue(entry, entry.ExactDue);
        ArmExact();
    }

    // Requires _gate.
    private void ArmExact()
    {
        if (!_soon.TryPeek(out _, out var next) || next >= _armedFor)
            return;
        _armedFor = next;
        var delay = next - _time.GetElapsedTime(_start);
        // Timers take whole milliseconds and round down.
        _exactTimer.Change(TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(delay.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
    }

    // Requires _gate.
    private void Link(WheelEntry entry, long tick)
    {
        entry.DueTick = tick;
        ref var head = ref _slots[tick % SlotCount];
        entry.Next = head;
        if (head is not null)
            head.Previous = entry;
        head = entry;
        entry.IsLinked = true;
    }

    // Requires _gate.
    private void Unlink(WheelEntry entry)
    {
        entry.ExactDue = default;
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

    /// <summary>Gets or sets the time since the start of the wheel at which an exact entry is due; zero for others.</summary>
    internal TimeSpan ExactDue { get; set; }

    /// <summary>
    /// Called once when the entry is due, on the thread of the wheel. Must return quickly: run longer work on the thread pool.
    /// </summary>
    protected internal abstract void OnDue();
}
