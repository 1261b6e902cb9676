using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Topics;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>The operations on one user's calendar. Each change commits together with its event.</summary>
internal sealed class CalendarService(IStore store, UserDevices devices)
{
    public const int MaxListed = 2_000;

    public static readonly TimeSpan MaxRange = TimeSpan.FromDays(400);

    private static readonly TimeSpan MaxLength = TimeSpan.FromDays(31);

    public ValueTask<CalendarPage> ListAsync(Caller caller, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        if (to <= from || to - from > MaxRange)
            throw new DunlinException(ErrorCode.InvalidField, $"'to' must be after 'from', by at most {MaxRange.TotalDays} days.", "to");
        return store.ReadAsync(
            async (scope, _) =>
                new CalendarPage(
                    await CalendarRows.ListAsync(scope.Connection, caller.UserId, from, to, MaxListed),
                    scope.Position.ToString()
                ),
            cancellationToken
        );
    }

    /// <summary>Adds an entry. A repeated request with the same client-chosen id returns the existing entry.</summary>
    public ValueTask<(CalendarEvent Event, bool IsNew)> CreateAsync(
        Caller caller,
        string deviceId,
        string? id,
        CalendarEvent entry,
        CancellationToken cancellationToken
    )
    {
        CheckTimes(entry);
        return store.WriteAsync(
            async (unit, ct) =>
            {
                if (id is not null && await CalendarRows.FindAsync(unit, caller.UserId, id) is { } known)
                    return (known, false);
                if (id is not null && await CalendarRows.WasDeletedAsync(unit, caller.UserId, id))
                    throw new DunlinException(ErrorCode.Conflict, $"The calendar event '{id}' was deleted. Use a new id.", "id");
                if (await CalendarRows.CountAsync(unit, caller.UserId) >= FocusLimits.Events)
                    throw DunlinException.Limit(FocusLimits.Events, "calendar events for each user; delete some first");
                return (
                    await CalendarRows.AddAsync(unit, devices, caller.UserId, entry with { Id = WireText.IdOrNew(id, "id") }, deviceId, ct),
                    true
                );
            },
            cancellationToken
        );
    }

    public ValueTask<CalendarEvent> UpdateAsync(
        Caller caller,
        string deviceId,
        string id,
        IfMatch? expected,
        Func<CalendarEvent, CalendarEvent> change,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await RequireAsync(unit, caller, id);
                var after = change(before);
                CheckTimes(after);
                // A request without changes repeats one whose answer was lost: accept any version (RFC 9110, 13.1.1).
                if (after == before)
                    return before;
                if (expected?.Allows(before.Version) == false)
                    throw FocusErrors.Changed(before.Version, before);
                return await CalendarRows.ChangeAsync(unit, devices, caller.UserId, after, deviceId, ct);
            },
            cancellationToken
        );

    public ValueTask DeleteAsync(Caller caller, string deviceId, string id, IfMatch? expected, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await RequireAsync(unit, caller, id);
                if (expected?.Allows(before.Version) == false)
                    throw FocusErrors.Changed(before.Version, before);
                await CalendarRows.DeleteAsync(unit, devices, caller.UserId, id, deviceId, ct);
            },
            cancellationToken
        );

    private static async Task<CalendarEvent> RequireAsync(IUnitOfWork unit, Caller caller, string id) =>
        await CalendarRows.FindAsync(unit, caller.UserId, id)
        ?? throw new DunlinException(ErrorCode.NotFound, $"No calendar event with id '{id}'.");

    private static bool IsDate(DateTimeOffset time) => time.Offset == TimeSpan.Zero && time.TimeOfDay == TimeSpan.Zero;

    private static void CheckTimes(CalendarEvent entry)
    {
        if (entry.IsAllDay && (!IsDate(entry.Start) || !IsDate(entry.End)))
            throw new DunlinException(
                ErrorCode.InvalidField,
                "An all-day event must start and end at 00:00:00+00:00; its last day is the one before 'end'.",
                IsDate(entry.Start) ? "end" : "start"
            );
        if (entry.End <= entry.Start)
            throw new DunlinException(ErrorCode.InvalidField, "'end' must be after 'start'.", "end");
        // Compare local times: a month in which the clocks go back must not be longer than another.
        if (entry.End.DateTime - entry.Start.DateTime > MaxLength)
            throw new DunlinException(ErrorCode.InvalidField, $"An event must last at most {MaxLength.TotalDays} days.", "end");
    }
}

/// <summary>Part of a calendar.</summary>
/// <param name="Items">The entries, earliest first.</param>
/// <param name="Position">A journal position. The page contains all changes up to it.</param>
public sealed record CalendarPage(IReadOnlyList<CalendarEvent> Items, string Position);
