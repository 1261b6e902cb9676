using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Topics;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>The operations on one user's calendar. Each change commits together with its event.</summary>
internal sealed class CalendarService(IStore store, UserDevices devices, SeriesService series)
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
            {
                var entries = await CalendarRows.ListAsync(scope.Connection, caller.UserId, from, to, MaxListed);
                var (found, changed) = await CalendarRows.SeriesAsync(scope.Connection, caller.UserId, from, to);
                var occurrences = found
                    .SelectMany(each => Recurrence.Expand(each, from, to).Take(MaxListed))
                    .Where(each => !changed.Contains((each.SeriesId!, each.OriginalStart!.Value.ToUnixTimeMilliseconds())));
                return new CalendarPage(
                    [
                        .. entries
                            .Concat(occurrences)
                            .OrderBy(each => each.Start)
                            .ThenBy(each => each.Id, StringComparer.Ordinal)
                            .Take(MaxListed),
                    ],
                    scope.Position.ToString()
                );
            },
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
                var added = entry with { Id = WireText.IdOrNew(id, "id") };
                await SeriesService.CheckAsync(unit, caller.UserId, added, isNew: true);
                return (await CalendarRows.AddAsync(unit, devices, caller.UserId, added, deviceId, ct), true);
            },
            cancellationToken
        );
    }

    public ValueTask<CalendarEvent> UpdateAsync(
        Caller caller,
        string deviceId,
        string id,
        SeriesScope scope,
        IfMatch? expected,
        Func<CalendarEvent, CalendarEvent> change,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var target = await RequireAsync(unit, caller, id);
                var before = target.Shown;
                var after = change(before);
                if (scope == SeriesScope.This && before.SeriesId is not null && after.Recurrence != before.Recurrence)
                    throw new DunlinException(
                        ErrorCode.InvalidField,
                        "'recurrence' belongs to the series. Send '?scope=following' or '?scope=all'.",
                        "recurrence"
                    );
                CheckTimes(after);
                // A request without changes repeats one whose answer was lost: accept any version (RFC 9110, 13.1.1).
                if (after == before)
                    return before;
                if (expected?.Allows(before.Version) == false)
                    throw FocusErrors.Changed(before.Version, before);
                return await series.ChangeAsync(unit, caller.UserId, deviceId, target, after, scope, ct);
            },
            cancellationToken
        );

    public ValueTask DeleteAsync(
        Caller caller,
        string deviceId,
        string id,
        SeriesScope scope,
        IfMatch? expected,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var target = await RequireAsync(unit, caller, id);
                if (expected?.Allows(target.Shown.Version) == false)
                    throw FocusErrors.Changed(target.Shown.Version, target.Shown);
                await series.DeleteAsync(unit, caller.UserId, deviceId, target, scope, ct);
            },
            cancellationToken
        );

    private static async Task<CalendarTarget> RequireAsync(IUnitOfWork unit, Caller caller, string id) =>
        await SeriesService.FindAsync(unit, caller.UserId, id)
        ?? throw new DunlinException(ErrorCode.NotFound, $"No calendar event with id '{id}'.");

    private static bool IsDate(DateTimeOffset time) => time.Offset == TimeSpan.Zero && time.TimeOfDay == TimeSpan.Zero;

    public static void CheckTimes(CalendarEvent entry)
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
