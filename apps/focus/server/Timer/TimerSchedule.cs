using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// Calls back when the timer of a user is due next. The row in the store decides what is due, so a late, lost or repeated call changes
/// nothing. Thread-safe.
/// </summary>
internal sealed class TimerSchedule(StoreClock clock) : IDisposable
{
    // The platform's timers take at most 49 days; a call before the time finds nothing due and schedules again.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    private readonly Lock _gate = new(); // guards _timers
    private readonly Dictionary<string, ITimer> _timers = new(StringComparer.Ordinal);

    /// <summary>Called with the user's id, on a thread of the pool.</summary>
    public Action<string>? OnDue { get; set; }

    /// <summary>Schedules the one call for the user at this time, in milliseconds since 1970; null removes it.</summary>
    public void Watch(string userId, long? dueAt)
    {
        if (dueAt is { } due)
        {
            Remind(userId, WireTime.Of(due) - clock.Now);
            return;
        }
        lock (_gate)
        {
            if (_timers.Remove(userId, out var timer))
                timer.Dispose();
        }
    }

    /// <summary>Schedules the one call for the user after this delay; a negative delay counts as none.</summary>
    public void Remind(string userId, TimeSpan delay)
    {
        delay =
            delay < TimeSpan.Zero ? TimeSpan.Zero
            : delay > MaxDelay ? MaxDelay
            : delay;
        lock (_gate)
        {
            if (_timers.TryGetValue(userId, out var timer))
                timer.Change(delay, Timeout.InfiniteTimeSpan);
            else
                _timers[userId] = clock.TimeProvider.CreateTimer(_ => OnDue?.Invoke(userId), null, delay, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var timer in _timers.Values)
                timer.Dispose();
            _timers.Clear();
        }
    }
}
