using System.Collections.Concurrent;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Schedules a check of each held lease at its expiry. Only a trigger: the row and the clock decide. Thread-safe.</summary>
internal sealed class LeaseExpiries(TimerWheel wheel)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<ResourceName, Reminder> _reminders = new();

    public void Watch(LeaseRow row, DateTimeOffset now, Action<ResourceName> settle)
    {
        if (row.LeaseId is null)
        {
            if (_reminders.TryRemove(row.Resource, out var reminder))
                wheel.Cancel(reminder);
            return;
        }
        Remind(row.Resource, row.ExpiresAt - now, settle);
    }

    public void Retry(ResourceName resource, Action<ResourceName> settle) => Remind(resource, RetryDelay, settle);

    private void Remind(ResourceName resource, TimeSpan delay, Action<ResourceName> settle) =>
        wheel.Schedule(
            _reminders.GetOrAdd(resource, static (name, owner) => new Reminder(owner.Self, name, owner.settle), (Self: this, settle)),
            delay
        );

    private sealed class Reminder(LeaseExpiries expiries, ResourceName resource, Action<ResourceName> settle) : WheelEntry
    {
        protected internal override void OnDue()
        {
            // Remove first: a renewal from now on creates a new reminder, and an early check changes nothing.
            expiries._reminders.TryRemove(new KeyValuePair<ResourceName, Reminder>(resource, this));
            settle(resource);
        }
    }
}
