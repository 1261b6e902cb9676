using Dapper;
using Dunlin.Apps.Focus.Calendar;
using Dunlin.Apps.Focus.Tasks;
using Dunlin.Apps.Focus.Timer;
using Dunlin.Devices;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus;

/// <summary>Demo data: several tasks and one week of calendar for each user. Skips a user who already has tasks.</summary>
public static class FocusDemo
{
    private static readonly (string Title, string Notes, int Minutes)[] Tasks =
    [
        ("Write the quarterly report", "Numbers are in the shared folder.", 75),
        ("Plan the workshop", "", 25),
        ("Read the contract", "Section 4 first.", 0),
        ("Practise the talk", "", 50),
        ("Answer the backlog of mail", "", 0),
    ];

    // Day of the week from Monday, hour, minute, duration in minutes.
    private static readonly (string Title, int Day, int Hour, int Minute, int Length)[] Events =
    [
        ("Stand-up", 0, 9, 0, 15),
        ("Workshop with the design team", 0, 13, 30, 90),
        ("Deep work", 1, 9, 30, 120),
        ("Lunch with Robin", 2, 12, 0, 60),
        ("Contract review", 2, 15, 0, 45),
        ("Dentist", 3, 8, 30, 45),
        ("Deep work", 3, 10, 0, 120),
        ("Week in review", 4, 15, 30, 30),
    ];

    /// <summary>Seeds the users' tasks and calendars.</summary>
    public static ValueTask SeedAsync(
        IStore store,
        UserDevices devices,
        IReadOnlyList<string> users,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                foreach (var userId in users)
                {
                    if (
                        await unit.Connection.ExecuteScalarAsync<long>(
                            "SELECT COUNT(*) FROM focus_task WHERE user_id = @userId",
                            new { userId },
                            unit.Transaction
                        ) == 0
                    )
                        await SeedAsync(unit, devices, userId, ct);
                }
            },
            cancellationToken
        );

    private static async ValueTask SeedAsync(IUnitOfWork unit, UserDevices devices, string userId, CancellationToken cancellationToken)
    {
        var created = unit.Now.AddDays(-3).ToUnixTimeMilliseconds();
        foreach (var (title, notes, minutes) in Tasks)
        {
            var task = new FocusTask(
                WireText.IdOrNew(null, "id"),
                title,
                notes,
                IsDone: false,
                minutes * TimerRules.Minute,
                0,
                WireTime.Of(created++)
            );
            await TaskRows.AddAsync(unit, devices, userId, task, null, cancellationToken);
        }
        var today = unit.Now.UtcDateTime.Date;
        var monday = new DateTimeOffset(today, TimeSpan.Zero).AddDays(-(((int)today.DayOfWeek + 6) % 7));
        foreach (var (title, day, hour, minute, length) in Events)
        {
            var start = monday.AddDays(day).AddHours(hour).AddMinutes(minute);
            await CalendarRows.AddAsync(
                unit,
                devices,
                userId,
                new CalendarEvent(WireText.IdOrNew(null, "id"), title, "", start, start.AddMinutes(length), 0),
                null,
                cancellationToken
            );
        }
    }
}
