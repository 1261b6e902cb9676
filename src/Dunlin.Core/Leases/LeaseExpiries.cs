using System.Collections.Concurrent;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Schedules a check of each held lease at its expiry. Only a trigger: the row and the clock decide. Thread-safe.</summary>
internal sealed class LeaseExpiries(TimerWheel wheel)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<ResourceName, Reminder> _reminders = new();

    /// <summary>Schedules the check of a committed row, or cancels it if the lease is free.</summary>
    public void Watch(LeaseRow row, DateTimeOffset now, Action<ResourceName> settle)
    {
        if (row.LeaseId is null)
        {
            if (_reminders.TryRemove(row.Resource, out var reminder))
                wheel.Cancel(reminder);
            return;
        }
        if (!(_reminders.TryGetValue(row.Resource, out var known) && known.DueAt == row.ExpiresAt))
            Remind(row.Resource, row.ExpiresAt, row.ExpiresAt - now, settle);
    }

    /// <summary>Schedules the check of a row that may still roll back, unless an earlier check is scheduled.</summary>
    /// <remarks>Never cancels or delays a check: after a rollback the lease is held as before. A check that is early changes nothing, and
    /// schedules the next one.</remarks>
    public void Expect(LeaseRow row, DateTimeOffset now, Action<ResourceName> settle)
    {
        if (row.LeaseId is not null && !(_reminders.TryGetValue(row.Resource, out var known) && known.DueAt <= row.ExpiresAt))
            Remind(row.Resource, row.ExpiresAt, row.ExpiresAt - now, settle);
    }

    public void Retry(ResourceName resource, Action<ResourceName> settle) => Remind(resource, default, RetryDelay, settle);

    private void Remind(ResourceName resource, DateTimeOffset dueAt, TimeSpan delay, Action<ResourceName> settle)
    {
        var reminder = _reminders.GetOrAdd(
            resource,
            static (name, owner) => new Reminder(owner.Self, name, owner.settle),
            (Self: this, settle)
        );
        reminder.DueAt = dueAt;
        wheel.Schedule(reminder, delay);
    }

    private sealed class Reminder(LeaseExpiries expiries, ResourceName resource, Action<ResourceName> settle) : WheelEntry
    {
        private long _dueAt;

        /// <summary>Gets or sets the expiry that the check is for (UTC); the minimum for a retry. Needs no lock.</summary>
        public DateTimeOffset DueAt
        {
            get => new(Volatile.Read(ref _dueAt), TimeSpan.Zero);
            set => Volatile.Write(ref _dueAt, value.UtcTicks);
        }

        protected internal override void OnDue()
        {
            // Remove first: a renewal from now on creates a new reminder, and an early check changes nothing.
            expiries._reminders.TryRemove(new KeyValuePair<ResourceName, Reminder>(resource, this));
            settle(resource);
        }
    }
}
