using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;
using NodaTime;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>What an import did.</summary>
/// <param name="Created">Number of new entries.</param>
/// <param name="Updated">Number of changed entries.</param>
/// <param name="Unchanged">Number of entries that were imported before and are equal.</param>
/// <param name="Skipped">Entries that were not imported; at most 50.</param>
/// <param name="SkippedCount">Number of entries that were not imported.</param>
public sealed record ImportResult(int Created, int Updated, int Unchanged, IReadOnlyList<SkippedEvent> Skipped, int SkippedCount);

/// <summary>Imports and exports calendars as iCalendar files. An import is one unit of work.</summary>
internal sealed class IcsService(IStore store, UserDevices devices)
{
    /// <summary>Maximum size of a file in bytes of the request.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Maximum number of entries of a file. Each has an event of its own.</summary>
    private const int MaxEntries = 2_000;

    private const int MaxReported = 50;

    public ValueTask<string> ExportAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) => IcsWriter.Write(await CalendarRows.AllAsync(scope.Connection, caller.UserId), scope.Now),
            cancellationToken
        );

    /// <summary>Adds the entries of a file, or changes those of an earlier import.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: not an iCalendar file, or an unknown time zone. <see cref="ErrorCode.LimitReached"/>: too many
    /// entries.
    /// </exception>
    public ValueTask<ImportResult> ImportAsync(
        Caller caller,
        string deviceId,
        string ics,
        string? timeZone,
        CancellationToken cancellationToken
    )
    {
        var reader = new IcsReader(DateTimeZoneProviders.Tzdb[Recurrence.CheckZone(timeZone ?? "UTC")]);
        reader.Read(ics);
        if (reader.Entries.Count > MaxEntries)
            throw DunlinException.Limit(MaxEntries, "events in one file; split the file", "ics");
        return store.WriteAsync((unit, ct) => ImportAsync(unit, caller.UserId, deviceId, reader, ct), cancellationToken);
    }

    private async ValueTask<ImportResult> ImportAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        IcsReader reader,
        CancellationToken cancellationToken
    )
    {
        var (created, updated, unchanged) = (0, 0, 0);
        var skipped = reader.Skipped.ToList();
        foreach (var entry in reader.Entries)
        {
            var before = await CalendarRows.FindAsync(unit, userId, entry.Id);
            try
            {
                CalendarService.CheckTimes(entry);
                await SeriesService.CheckAsync(unit, userId, entry, isNew: before?.IsSeries != true);
            }
            catch (DunlinException error) when (error.Code == ErrorCode.InvalidField)
            {
                skipped.Add(new SkippedEvent(entry.Title, error.Message));
                continue;
            }
            // A file does not contain what only this system knows of an entry.
            var imported = before is null ? entry : entry with { TaskId = before.TaskId, Version = before.Version };
            if (imported == before)
            {
                unchanged++;
            }
            else if (before is not null)
            {
                await CalendarRows.ChangeAsync(unit, devices, userId, imported, deviceId, cancellationToken);
                updated++;
            }
            else
            {
                if (await CalendarRows.CountAsync(unit, userId) >= FocusLimits.Events)
                    throw DunlinException.Limit(FocusLimits.Events, "calendar events for each user; delete some first");
                await CalendarRows.ForgetAsync(unit, userId, entry.Id);
                await CalendarRows.AddAsync(unit, devices, userId, imported, deviceId, cancellationToken);
                created++;
            }
        }
        return new ImportResult(created, updated, unchanged, [.. skipped.Take(MaxReported)], skipped.Count);
    }
}
