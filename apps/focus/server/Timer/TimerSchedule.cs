using System.Collections.Concurrent;
using Dunlin.Journal;
using Dunlin.Scheduling;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>Remembers when time changes whose timer next. Only a reminder: the row in the store says what is due, and the state
/// machine what comes of it, so that a reminder that is late, lost or given twice changes nothing.</summary>
internal sealed class TimerSchedule(TimerWheel wheel, StoreClock clock)
{
    private readonly ConcurrentDictionary<string, Reminder> _reminders = new(StringComparer.Ordinal);

    /// <summary>Called with the user's id, on the wheel's thread.</summary>
    public Action<string>? OnDue { get; set; }

    /// <summary>Reminds at this time instead of any other for the user; null reminds no more.</summary>
    public void Watch(string userId, long? dueAt)
    {
        if (dueAt is not { } due)
        {
            if (_reminders.TryRemove(userId, out var reminder))
                wheel.Cancel(reminder);
            return;
        }
        Remind(userId, WireTime.Of(due) - clock.Now);
    }

    public void Remind(string userId, TimeSpan delay)
    {
        var entry = _reminders.GetOrAdd(userId, static (id, schedule) => new Reminder(schedule, id), this);
        wheel.Schedule(entry, delay > TimeSpan.Zero ? delay : TimeSpan.Zero);
    }

    private sealed class Reminder(TimerSchedule schedule, string userId) : WheelEntry
    {
        protected override void OnDue() => schedule.OnDue?.Invoke(userId);
    }
}
