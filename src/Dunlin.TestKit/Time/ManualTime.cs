namespace Dunlin.TestKit;

/// <summary>Provides time that advances only when a test advances it. Thread-safe.</summary>
/// <remarks><see cref="Advance"/> fires timers one by one in the order in which they are due, each at its own time. Callbacks run on the
/// thread that advances, without a lock. The wall clock can be stepped separately from the monotonic timestamp, as an operator or NTP
/// does.</remarks>
public sealed class ManualTime : TimeProvider
{
    // Guards the fields up to _sequence.
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private TimeSpan _elapsed;
    private DateTimeOffset _wall;
    private long _sequence;

    // Held while time advances, so that concurrent advances run one after another.
    private readonly Lock _advancing = new();

    /// <summary>Creates a clock.</summary>
    /// <param name="start">The wall-clock time. Default: null, which means 2030-01-01, midnight UTC.</param>
    public ManualTime(DateTimeOffset? start = null) => _wall = start ?? new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Gets the number of armed timers.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (_lock)
                return _timers.Count;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _wall;
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_lock)
            return _elapsed.Ticks;
    }

    /// <summary>Advances both clocks, and fires the timers that become due, including timers that callbacks arm.</summary>
    /// <param name="by">The duration: zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (_advancing)
        {
            TimeSpan target;
            lock (_lock)
                target = _elapsed + by;
            while (NextDue(target) is { } due)
                due.Fire();
        }
    }

    /// <summary>Steps the wall clock only, forward or back. No timer fires.</summary>
    /// <param name="by">The duration, which may be negative.</param>
    public void StepWallClock(TimeSpan by)
    {
        lock (_lock)
            _wall += by;
    }

    /// <summary>Returns a task that completes when at least <paramref name="count"/> timers are armed. Await it before
    /// <see cref="Advance"/> if another thread arms the timers.</summary>
    /// <param name="count">The number of timers.</param>
    public Task WhenTimersAsync(int count)
    {
        lock (_lock)
        {
            if (_timers.Count >= count)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
            return reached.Task;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Removes and returns the next due timer and moves the clocks to its time, or moves the clocks to the target and returns
    /// null.</summary>
    private ManualTimer? NextDue(TimeSpan target)
    {
        lock (_lock)
        {
            var next = _timers.MinBy(t => (t.Due, t.Sequence));
            if (next is null || next.Due > target)
            {
                MoveTo(target);
                return null;
            }
            MoveTo(next.Due > _elapsed ? next.Due : _elapsed);
            _timers.Remove(next);
            if (next.Period > TimeSpan.Zero)
                Arm(next, next.Period);
            return next;
        }
    }

    private void MoveTo(TimeSpan elapsed)
    {
        _wall += elapsed - _elapsed;
        _elapsed = elapsed;
    }

    private void Arm(ManualTimer timer, TimeSpan dueIn)
    {
        (timer.Due, timer.Sequence) = (_elapsed + dueIn, _sequence++);
        _timers.Add(timer);
        foreach (var (count, reached) in _waiting)
        {
            if (_timers.Count >= count)
                reached.TrySetResult();
        }
        _waiting.RemoveAll(w => w.Reached.Task.IsCompleted);
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private bool _isDisposed;

        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public long Sequence { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                if (_isDisposed)
                    return false;
                time._timers.Remove(this);
                Period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                    time.Arm(this, dueTime);
                return true;
            }
        }

        public void Dispose()
        {
            lock (time._lock)
            {
                _isDisposed = true;
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
