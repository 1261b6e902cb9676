namespace Dunlin.TestKit;

/// <summary>
/// Time that stands still until a test moves it. <see cref="Advance"/> fires timers one by one, in the order in which they
/// fall due, each at its own time. The wall clock can be stepped apart from the monotonic timestamp, as an operator or NTP
/// does. Safe for concurrent use; callbacks run on the thread that advances, with no lock held.
/// </summary>
public sealed class ManualTime : TimeProvider
{
    // Guards all fields below.
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private TimeSpan _elapsed;
    private DateTimeOffset _wall;
    private long _sequence;

    // Held while time advances, so that two advances follow each other.
    private readonly Lock _advancing = new();

    /// <summary>Starts at a wall-clock time.</summary>
    /// <param name="start">Default: 2030-01-01, midnight UTC.</param>
    public ManualTime(DateTimeOffset? start = null) => _wall = start ?? new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that will fire.</summary>
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

    /// <summary>Moves both clocks on and fires what falls due, including timers armed by what fires.</summary>
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

    /// <summary>Steps the wall clock alone, forward or back; no timer fires.</summary>
    public void StepWallClock(TimeSpan by)
    {
        lock (_lock)
            _wall += by;
    }

    /// <summary>Completes once so many timers are armed: the barrier before <see cref="Advance"/> where another thread arms them.</summary>
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

    /// <summary>Takes out the timer that falls due next and moves the clocks there; else moves them to the target.</summary>
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
