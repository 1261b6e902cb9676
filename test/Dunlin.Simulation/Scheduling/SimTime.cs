namespace Dunlin.Simulation.Scheduling;

/// <summary>Virtual time. It moves only when the world fires the next timer. Not thread-safe.</summary>
internal sealed class SimTime(SimWorld world) : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Due, (long Ticks, long Sequence)> _due = new();
    private long _sequence;

    public long Ticks { get; private set; }

    public TimeSpan Elapsed => new(Ticks);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => Start.AddTicks(Ticks);

    public override long GetTimestamp() => Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, TaskScheduler.Current as SimScheduler ?? world.Clients, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Calls an action of the simulator itself after a delay. It needs no process.</summary>
    public void CallAfter(TimeSpan delay, Action action) => Add(new Due(null, 0, action), delay);

    public void Pass(int ticks) => Ticks += ticks;

    /// <summary>Moves time to the next timer and queues its callback. Returns false if there is none.</summary>
    public bool FireNext()
    {
        while (_due.TryDequeue(out var due, out var key))
        {
            if (due.Timer is { } timer && !timer.IsDueAt(due.Version))
                continue;
            Ticks = Math.Max(Ticks, key.Ticks);
            world.Mix(Ticks);
            if (due.Timer is null)
                due.Action!();
            else
                due.Timer.Fire();
            return true;
        }
        return false;
    }

    // Timers of the platform take whole milliseconds and round down.
    private void Arm(SimTimer timer, int version, TimeSpan delay) =>
        Add(new Due(timer, version, null), TimeSpan.FromMilliseconds(Math.Max(0, (long)delay.TotalMilliseconds)));

    private void Add(Due due, TimeSpan delay) => _due.Enqueue(due, (Ticks + Math.Max(0, delay.Ticks), _sequence++));

    private readonly record struct Due(SimTimer? Timer, int Version, Action? Action);

    private sealed class SimTimer(SimTime time, SimScheduler owner, TimerCallback callback, object? state) : ITimer
    {
        private int _version;
        private TimeSpan _period;
        private bool _isDisposed;

        public bool IsDueAt(int version) => !_isDisposed && version == _version && !owner.IsDead;

        public void Fire()
        {
            if (_period > TimeSpan.Zero)
                time.Arm(this, _version, _period);
            owner.Post(() =>
            {
                if (!_isDisposed)
                    callback(state);
            });
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_isDisposed)
                return false;
            _version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
                time.Arm(this, _version, dueTime);
            return true;
        }

        public void Dispose() => _isDisposed = true;

        public ValueTask DisposeAsync()
        {
            _isDisposed = true;
            return default;
        }
    }
}
