using System.Data.Common;
using Dapper;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>
/// A calendar entry from <paramref name="Start"/> to <paramref name="End"/>, each with the offset that the client sent. <paramref
/// name="Version"/> is the journal offset of its last change.
/// </summary>
public sealed record CalendarEvent(string Id, string Title, string Notes, DateTimeOffset Start, DateTimeOffset End, long Version)
{
    /// <summary>Whether the entry lasts whole days: it then starts and ends at midnight UTC, and means these dates in every zone.</summary>
    public bool IsAllDay { get; init; }

    /// <summary>One of <see cref="EventColors"/>; empty for the default.</summary>
    public string Color { get; init; } = "";

    /// <summary>The task that the entry plans.</summary>
    public string? TaskId { get; init; }
}

/// <summary>The colours of calendar entries. The page maps them to shades for light and dark.</summary>
public static class EventColors
{
    private static readonly string[] Names = ["", "red", "orange", "green", "blue", "purple", "gray"];

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an unknown colour.</exception>
    internal static string Check(string? color) =>
        Names.Contains(color ?? "", StringComparer.Ordinal)
            ? color ?? ""
            : throw new DunlinException(ErrorCode.InvalidField, $"'color' must be empty or one of{string.Join(", ", Names)[1..]}.", "color");
}

/// <summary>The SQL of the calendar.</summary>
internal static class CalendarRows
{
    private const string Columns =
        "id, title, notes, starts_at AS StartsAt, starts_offset AS StartsOffset, ends_at AS EndsAt, ends_offset AS EndsOffset, "
        + "is_all_day AS IsAllDay, color, task_id AS TaskId, version, deleted_at AS DeletedAt";

    /// <summary>Returns entries that overlap the interval, earliest first.</summary>
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
                    $"SELECT {Columns} FROM focus_event WHERE user_id = @userId AND deleted_at IS NULL AND starts_at < @to AND ends_at > @from ORDER BY starts_at, id LIMIT @limit",
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
                + "version, created_at) VALUES (@userId, @Id, @Title, @Notes, @startsAt, @startsOffset, @endsAt, @endsOffset, @isAllDay, @Color, "
                + "@TaskId, @Version, @now)",
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
                + "ends_offset = @endsOffset, is_all_day = @isAllDay, color = @Color, task_id = @TaskId, version = @Version WHERE user_id = @userId AND id = @Id",
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
            };
    }
}
