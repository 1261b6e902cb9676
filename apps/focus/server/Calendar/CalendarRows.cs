using System.Data.Common;
using Dapper;
using Dunlin.Devices;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>The SQL of the calendar.</summary>
internal static class CalendarRows
{
    private const string Columns =
        "id, title, notes, starts_at AS StartsAt, starts_offset AS StartsOffset, ends_at AS EndsAt, ends_offset AS EndsOffset, "
        + "is_all_day AS IsAllDay, color, task_id AS TaskId, rule, time_zone AS TimeZone, excluded, series_id AS SeriesId, "
        + "original_start AS OriginalStart, version, deleted_at AS DeletedAt";

    /// <summary>Returns single entries and changed occurrences that overlap the interval, earliest first.</summary>
    public static async Task<IReadOnlyList<CalendarEvent>> ListAsync(
        DbConnection connection,
        string userId,
        DateTimeOffset from,
        DateTimeOffset to,
        int limit
    ) =>
        [
            .. (
                await connection.QueryAsync<Row>(
                    $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND rule IS NULL AND starts_at < @to AND ends_at > @from ORDER BY starts_at, id LIMIT @limit",
                    new
                    {
                        userId,
                        from = from.ToUnixTimeMilliseconds(),
                        to = to.ToUnixTimeMilliseconds(),
                        limit,
                    }
                )
            ).Select(row => row.Event()),
        ];

    /// <summary>Returns the series that may have occurrences in the interval, and all changed occurrences of these series.</summary>
    public static async Task<(IReadOnlyList<CalendarEvent> Series, IReadOnlySet<(string SeriesId, long Start)> Changed)> SeriesAsync(
        DbConnection connection,
        string userId,
        DateTimeOffset from,
        DateTimeOffset to
    )
    {
        var parameters = new
        {
            userId,
            from = from.ToUnixTimeMilliseconds(),
            to = to.ToUnixTimeMilliseconds(),
        };
        var series = await connection.QueryAsync<Row>(
            $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND rule IS NOT NULL AND starts_at < @to "
                + "AND (series_ends_at IS NULL OR series_ends_at > @from)",
            parameters
        );
        var changed = await connection.QueryAsync<(string, long)>(
            "SELECT series_id, original_start FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND series_id IS NOT NULL",
            parameters
        );
        return ([.. series.Select(row => row.Event())], changed.ToHashSet());
    }

    /// <summary>Returns the changed occurrences of a series from an original start on.</summary>
    public static async Task<IReadOnlyList<CalendarEvent>> ChangedAsync(IUnitOfWork unit, string userId, string seriesId, long from) =>
        [
            .. (
                await unit.Connection.QueryAsync<Row>(
                    $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND series_id = @seriesId "
                        + "AND original_start >= @from",
                    new
                    {
                        userId,
                        seriesId,
                        from,
                    },
                    unit.Transaction
                )
            ).Select(row => row.Event()),
        ];

    /// <summary>Returns all rows of a user: single entries, series and changed occurrences.</summary>
    public static async Task<IReadOnlyList<CalendarEvent>> AllAsync(DbConnection connection, string userId) =>
        [
            .. (
                await connection.QueryAsync<Row>(
                    $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL ORDER BY starts_at, id",
                    new { userId }
                )
            ).Select(row => row.Event()),
        ];

    /// <summary>Removes the memory of a deleted entry, so that its id can be used again.</summary>
    public static Task ForgetAsync(IUnitOfWork unit, string userId, string id) =>
        unit.Connection.ExecuteAsync(
            "DELETE FROM focus_event WHERE user_id = @userId AND id = @id AND deleted_at IS NOT NULL",
            new { userId, id },
            unit.Transaction
        );

    public static Task<long> CountSeriesAsync(IUnitOfWork unit, string userId) =>
        unit.Connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND rule IS NOT NULL",
            new { userId },
            unit.Transaction
        );

    public static Task<long> CountAsync(IUnitOfWork unit, string userId) =>
        unit.Connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL",
            new { userId },
            unit.Transaction
        );

    public static async Task<CalendarEvent?> FindAsync(IUnitOfWork unit, string userId, string id) =>
        await AnyAsync(unit, userId, id) is { DeletedAt: null } row ? row.Event() : null;

    public static async Task<bool> WasDeletedAsync(IUnitOfWork unit, string userId, string id) =>
        await AnyAsync(unit, userId, id) is { DeletedAt: not null };

    public static async ValueTask<CalendarEvent> AddAsync(
        IUnitOfWork unit,
        UserDevices devices,
        string userId,
        CalendarEvent added,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        added = added with { Version = (await unit.NextPositionAsync(cancellationToken)).Offset };
        await devices.BroadcastAsync(
            unit,
            userId,
            "calendar",
            "event_created",
            new { id = added.Id, @event = added },
            deviceId,
            cancellationToken: cancellationToken
        );
        await unit.Connection.ExecuteAsync(
            "INSERT INTO focus_event (user_id, id, title, notes, starts_at, starts_offset, ends_at, ends_offset, is_all_day, color, task_id, "
                + "rule, time_zone, excluded, series_ends_at, series_id, original_start, version, created_at) VALUES (@userId, @Id, @Title, @Notes, @startsAt, @startsOffset, @endsAt, @endsOffset, @isAllDay, @Color, "
                + "@TaskId, @Recurrence, @TimeZone, @Excluded, @seriesEndsAt, @SeriesId, @originalStart, @Version, @now)",
            Parameters(unit, userId, added),
            unit.Transaction
        );
        return added;
    }

    public static async ValueTask<CalendarEvent> ChangeAsync(
        IUnitOfWork unit,
        UserDevices devices,
        string userId,
        CalendarEvent changed,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        changed = changed with { Version = (await unit.NextPositionAsync(cancellationToken)).Offset };
        await devices.BroadcastAsync(
            unit,
            userId,
            "calendar",
            "event_updated",
            new { id = changed.Id, @event = changed },
            deviceId,
            cancellationToken: cancellationToken
        );
        await unit.Connection.ExecuteAsync(
            "UPDATE focus_event SET title = @Title, notes = @Notes, starts_at = @startsAt, starts_offset = @startsOffset, ends_at = @endsAt, "
                + "ends_offset = @endsOffset, is_all_day = @isAllDay, color = @Color, task_id = @TaskId, rule = @Recurrence, "
                + "time_zone = @TimeZone, excluded = @Excluded, series_ends_at = @seriesEndsAt, series_id = @SeriesId, "
                + "original_start = @originalStart, version = @Version WHERE user_id = @userId AND id = @Id",
            Parameters(unit, userId, changed),
            unit.Transaction
        );
        return changed;
    }

    public static async ValueTask DeleteAsync(
        IUnitOfWork unit,
        UserDevices devices,
        string userId,
        string id,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        var version = (await unit.NextPositionAsync(cancellationToken)).Offset;
        await devices.BroadcastAsync(
            unit,
            userId,
            "calendar",
            "event_deleted",
            new { id, version },
            deviceId,
            cancellationToken: cancellationToken
        );
        await unit.Connection.ExecuteAsync(
            "UPDATE focus_event SET deleted_at = @now, version = @version WHERE user_id = @userId AND id = @id",
            new
            {
                userId,
                id,
                version,
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );
        await unit.Connection.ExecuteAsync(
            "DELETE FROM focus_event WHERE user_id = @userId AND deleted_at <= (SELECT deleted_at FROM focus_event "
                + "WHERE user_id = @userId AND deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1 OFFSET @Deleted)",
            new { userId, FocusLimits.Deleted },
            unit.Transaction
        );
    }

    private static Task<Row?> AnyAsync(IUnitOfWork unit, string userId, string id) =>
        unit.Connection.QuerySingleOrDefaultAsync<Row>(
            $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND id = @id",
            new { userId, id },
            unit.Transaction
        );

    private static object Parameters(IUnitOfWork unit, string userId, CalendarEvent entry) =>
        new
        {
            userId,
            entry.Id,
            entry.Title,
            entry.Notes,
            startsAt = entry.Start.ToUnixTimeMilliseconds(),
            startsOffset = (long)entry.Start.Offset.TotalMinutes,
            endsAt = entry.End.ToUnixTimeMilliseconds(),
            endsOffset = (long)entry.End.Offset.TotalMinutes,
            isAllDay = entry.IsAllDay ? 1L : 0L,
            entry.Color,
            entry.TaskId,
            entry.Recurrence,
            entry.TimeZone,
            entry.Excluded,
            entry.SeriesId,
            seriesEndsAt = entry.IsSeries ? Recurrence.LastEnd(entry)?.ToUnixTimeMilliseconds() : null,
            originalStart = entry.OriginalStart?.ToUnixTimeMilliseconds(),
            entry.Version,
            now = unit.Now.ToUnixTimeMilliseconds(),
        };

    private sealed record Row(
        string Id,
        string Title,
        string Notes,
        long StartsAt,
        long StartsOffset,
        long EndsAt,
        long EndsOffset,
        long IsAllDay,
        string Color,
        string? TaskId,
        string? Rule,
        string? TimeZone,
        string Excluded,
        string? SeriesId,
        long? OriginalStart,
        long Version,
        long? DeletedAt
    )
    {
        public CalendarEvent Event() =>
            new(Id, Title, Notes, WireTime.Of(StartsAt, StartsOffset), WireTime.Of(EndsAt, EndsOffset), Version)
            {
                IsAllDay = IsAllDay != 0,
                Color = Color,
                TaskId = TaskId,
                Recurrence = Rule,
                TimeZone = TimeZone,
                Excluded = Excluded,
                SeriesId = SeriesId,
                OriginalStart = OriginalStart is { } start ? WireTime.Of(start, StartsOffset) : null,
            };
    }
}
