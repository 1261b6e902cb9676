using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>Which occurrences of a series a change applies to.</summary>
internal enum SeriesScope
{
    This,
    Following,
    All,
}

/// <summary>What a request addresses.</summary>
/// <param name="Shown">The entry as the client sees it.</param>
/// <param name="Series">The series, if it is an occurrence or the series itself.</param>
/// <param name="IsStored">Whether <paramref name="Shown"/> has a row.</param>
internal sealed record CalendarTarget(CalendarEvent Shown, CalendarEvent? Series, bool IsStored);

/// <summary>
/// Changes series. A changed occurrence is a row of its own, with the id of the occurrence; a deleted one is excluded in the row of the
/// series. A change of "this and following" ends the series and begins another one.
/// </summary>
internal sealed class SeriesService(UserDevices devices)
{
    /// <summary>Ids of series leave room for the start that makes the id of an occurrence.</summary>
    private const int MaxIdLength = 47;

    public static async Task<CalendarTarget?> FindAsync(IUnitOfWork unit, string userId, string id)
    {
        if (await CalendarRows.FindAsync(unit, userId, id) is { } row)
            return row.SeriesId is { } seriesId
                ? new CalendarTarget(row, await CalendarRows.FindAsync(unit, userId, seriesId), true)
                : new CalendarTarget(row, row.IsSeries ? row : null, true);
        if (
            Recurrence.Parse(id) is not { } parsed
            || await CalendarRows.FindAsync(unit, userId, parsed.SeriesId) is not { IsSeries: true } series
            || Recurrence.Find(series, parsed.Start) is not { } occurrence
        )
            return null;
        // A changed occurrence may have another id, because its series was split.
        var start = parsed.Start.ToUnixTimeMilliseconds();
        var changed = await CalendarRows.ChangedAsync(unit, userId, series.Id, start);
        return changed.Any(each => each.OriginalStart?.ToUnixTimeMilliseconds() == start) ? null : new(occurrence, series, false);
    }

    /// <summary>Validates the rule of a new or changed series.</summary>
    public static async Task CheckAsync(IUnitOfWork unit, string userId, CalendarEvent entry, bool isNew)
    {
        if (!entry.IsSeries)
            return;
        if (entry.Id.Length > MaxIdLength)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The 'id' of a repeating event must have at most {MaxIdLength} characters.",
                "id"
            );
        if (!Recurrence.HasOccurrence(entry))
            throw new DunlinException(ErrorCode.InvalidField, "'recurrence' has no occurrence.", "recurrence");
        if (isNew && await CalendarRows.CountSeriesAsync(unit, userId) >= FocusLimits.Series)
            throw DunlinException.Limit(FocusLimits.Series, "repeating events for each user; delete some first");
    }

    /// <summary>Applies a change of one occurrence, of those from it on, or of all.</summary>
    public async Task<CalendarEvent> ChangeAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        CalendarTarget target,
        CalendarEvent after,
        SeriesScope scope,
        CancellationToken cancellationToken
    )
    {
        var (before, series, isStored) = target;
        if (series is null || before.Id == series.Id)
            return await ReplaceAsync(unit, userId, deviceId, before, after, cancellationToken);
        scope = Effective(scope, before, series);
        if (scope == SeriesScope.This)
        {
            var changed = after with { Recurrence = null, TimeZone = null, Excluded = "" };
            return isStored
                ? await CalendarRows.ChangeAsync(unit, devices, userId, changed, deviceId, cancellationToken)
                : await CalendarRows.AddAsync(unit, devices, userId, changed, deviceId, cancellationToken);
        }
        if (scope == SeriesScope.All)
            return await ReplaceAsync(unit, userId, deviceId, series, Shifted(series, before, after), cancellationToken);
        return await SplitAsync(unit, userId, deviceId, target, after, cancellationToken);
    }

    public async Task DeleteAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        CalendarTarget target,
        SeriesScope scope,
        CancellationToken cancellationToken
    )
    {
        var (shown, series, isStored) = target;
        scope = series is null || shown.Id == series.Id ? SeriesScope.All : Effective(scope, shown, series);
        var owner = series ?? shown;
        if (scope == SeriesScope.This)
        {
            if (isStored)
                await CalendarRows.DeleteAsync(unit, devices, userId, shown.Id, deviceId, cancellationToken);
            var starts = owner.ExcludedStarts.Append(shown.OriginalStart!.Value.ToUnixTimeMilliseconds());
            await CalendarRows.ChangeAsync(unit, devices, userId, owner.WithExcluded(starts), deviceId, cancellationToken);
            return;
        }
        var from = scope == SeriesScope.All ? long.MinValue : shown.OriginalStart!.Value.ToUnixTimeMilliseconds();
        await DeleteChangedAsync(unit, userId, deviceId, owner.Id, from, cancellationToken);
        if (scope == SeriesScope.All)
            await CalendarRows.DeleteAsync(unit, devices, userId, owner.Id, deviceId, cancellationToken);
        else
            await CalendarRows.ChangeAsync(unit, devices, userId, Ended(owner, shown.OriginalStart!.Value), deviceId, cancellationToken);
    }

    /// <summary>Changes a row. The changed occurrences of a series move with it, or leave with its rule.</summary>
    private async Task<CalendarEvent> ReplaceAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        CalendarEvent before,
        CalendarEvent after,
        CancellationToken cancellationToken
    )
    {
        await CheckAsync(unit, userId, after, isNew: !before.IsSeries);
        if (!after.IsSeries)
            after = after with { Excluded = "", TimeZone = null };
        if (before.IsSeries && (!after.IsSeries || after.IsAllDay != before.IsAllDay))
            await DeleteChangedAsync(unit, userId, deviceId, before.Id, long.MinValue, cancellationToken);
        else if (before.IsSeries && after.Start != before.Start)
            await MoveChangedAsync(unit, userId, deviceId, before, after, before.Start, cancellationToken);
        return await CalendarRows.ChangeAsync(unit, devices, userId, after, deviceId, cancellationToken);
    }

    private async Task<CalendarEvent> SplitAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        CalendarTarget target,
        CalendarEvent after,
        CancellationToken cancellationToken
    )
    {
        var (before, series, isStored) = target;
        var split = before.OriginalStart!.Value;
        var rule = after.Recurrence ?? series!.Recurrence!;
        // The same request finds the new series by the id of the occurrence.
        var id = before.Id.Length <= MaxIdLength ? before.Id : WireText.IdOrNew(null, "id");
        var next = Shifted(series!, before, after) with { Id = id, Start = after.Start, End = after.End };
        var shift = Recurrence.WallOf(next, after.Start) - Recurrence.WallOf(series!, before.Start);
        next = next with
        {
            Recurrence = rule == series!.Recurrence ? Recurrence.RuleShifted(Recurrence.RuleFrom(series, rule, split), shift) : rule,
        };
        var later = series.ExcludedStarts.Where(start => start >= split.ToUnixTimeMilliseconds());
        next = next.WithExcluded(later.Select(start => Moved(series, next, start, shift)));
        await CheckAsync(unit, userId, next, isNew: true);
        await CalendarRows.ChangeAsync(unit, devices, userId, Ended(series, split), deviceId, cancellationToken);
        await MoveChangedAsync(
            unit,
            userId,
            deviceId,
            series with
            {
                Start = before.Start,
            },
            next,
            split,
            cancellationToken,
            except: before.Id
        );
        if (isStored && id != before.Id)
            await CalendarRows.DeleteAsync(unit, devices, userId, before.Id, deviceId, cancellationToken);
        return isStored && id == before.Id
            ? await CalendarRows.ChangeAsync(unit, devices, userId, next, deviceId, cancellationToken)
            : await CalendarRows.AddAsync(unit, devices, userId, next, deviceId, cancellationToken);
    }

    /// <summary>Gives the changed occurrences from a start on the series and the original start that they have after a move.</summary>
    private async Task MoveChangedAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        CalendarEvent before,
        CalendarEvent after,
        DateTimeOffset from,
        CancellationToken cancellationToken,
        string? except = null
    )
    {
        var shift = Recurrence.WallOf(after, after.Start) - Recurrence.WallOf(before, before.Start);
        foreach (var each in await CalendarRows.ChangedAsync(unit, userId, before.Id, from.ToUnixTimeMilliseconds()))
        {
            if (each.Id == except)
                continue;
            var start = Moved(before, after, each.OriginalStart!.Value.ToUnixTimeMilliseconds(), shift);
            var moved = each with { SeriesId = after.Id, OriginalStart = WireTime.Of(start) };
            await CalendarRows.ChangeAsync(unit, devices, userId, moved, deviceId, cancellationToken);
        }
    }

    private async Task DeleteChangedAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        string seriesId,
        long from,
        CancellationToken cancellationToken
    )
    {
        foreach (var each in await CalendarRows.ChangedAsync(unit, userId, seriesId, from))
            await CalendarRows.DeleteAsync(unit, devices, userId, each.Id, deviceId, cancellationToken);
    }

    /// <summary>Applies the change of an occurrence to its series: the times move by the same local span.</summary>
    private static CalendarEvent Shifted(CalendarEvent series, CalendarEvent before, CalendarEvent after)
    {
        var changed = after with
        {
            Id = series.Id,
            SeriesId = null,
            OriginalStart = null,
            Recurrence = after.Recurrence ?? (before.Recurrence is null ? series.Recurrence : null),
            TimeZone = after.TimeZone ?? series.TimeZone,
            Excluded = series.Excluded,
        };
        var (was, now) = (Recurrence.WallOf(series, before.Start), Recurrence.WallOf(changed, after.Start));
        var first = Recurrence.WallOf(series, series.Start);
        var isOther = after.IsAllDay != series.IsAllDay;
        var wall = isOther ? first.Date + (now.Date - was.Date) + now.TimeOfDay : first + (now - was);
        var start = after.Start == before.Start && !isOther ? series.Start : Recurrence.OfWall(changed, wall);
        changed = changed with { Start = start, End = start + (after.End - after.Start) };
        if (isOther)
            return changed with { Excluded = "" };
        if (start == series.Start)
            return changed;
        if (changed.Recurrence is { } rule && rule == series.Recurrence)
            changed = changed with { Recurrence = Recurrence.RuleShifted(rule, now - was) };
        return changed.WithExcluded(series.ExcludedStarts.Select(each => Moved(series, changed, each, now - was)));
    }

    private static CalendarEvent Ended(CalendarEvent series, DateTimeOffset split) =>
        (series with { Recurrence = Recurrence.RuleBefore(series, split) }).WithExcluded(
            series.ExcludedStarts.Where(start => start < split.ToUnixTimeMilliseconds())
        );

    private static long Moved(CalendarEvent before, CalendarEvent after, long start, TimeSpan shift) =>
        Recurrence.OfWall(after, Recurrence.WallOf(before, WireTime.Of(start)) + shift).ToUnixTimeMilliseconds();

    // From the first occurrence on, the following ones are all.
    private static SeriesScope Effective(SeriesScope scope, CalendarEvent occurrence, CalendarEvent series) =>
        scope == SeriesScope.Following && occurrence.OriginalStart <= First(series) ? SeriesScope.All : scope;

    /// <summary>The first occurrence, which may be later than the start that the user chose.</summary>
    private static DateTimeOffset First(CalendarEvent series) =>
        Recurrence.Expand(series.WithExcluded([]), series.Start, DateTimeOffset.MaxValue).First().Start;
}
