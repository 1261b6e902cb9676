using System.Data.Common;
using Dapper;
using Dunlin.Apps.Focus.Timer;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Tasks;

/// <summary>
/// A task. <paramref name="Version"/> is the journal offset of its last change. Of two states, the one with the higher version is newer.
/// </summary>
public sealed record FocusTask(string Id, string Title, string Notes, bool IsDone, long LoggedMs, long Version, DateTimeOffset CreatedAt)
{
    /// <summary>Logged focus time in whole minutes.</summary>
    public long LoggedMinutes => LoggedMs / TimerRules.Minute;
}

/// <summary>The SQL of tasks.</summary>
internal static class TaskRows
{
    private const string Columns =
        "id, title, notes, is_done AS IsDone, logged_ms AS LoggedMs, version, created_at AS CreatedAt, deleted_at AS DeletedAt";

    public static async Task<IReadOnlyList<FocusTask>> ListAsync(DbConnection connection, string userId) =>
        [
            .. (
                await connection.QueryAsync<Row>(
                    $"SELECT {Columns} FROM focus_task WHERE user_id = @userId AND deleted_at IS NULL ORDER BY created_at, id",
                    new { userId }
                )
            ).Select(row => row.Task()),
        ];

    public static Task<long> CountAsync(DbConnection connection, DbTransaction? transaction, string userId) =>
        connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM focus_task WHERE user_id = @userId AND deleted_at IS NULL",
            new { userId },
            transaction
        );

    public static async Task<FocusTask?> FindAsync(DbConnection connection, DbTransaction? transaction, string userId, string id) =>
        await AnyAsync(connection, transaction, userId, id) is { DeletedAt: null } row ? row.Task() : null;

    public static async Task<FocusTask> RequireAsync(DbConnection connection, DbTransaction? transaction, string userId, string id) =>
        await FindAsync(connection, transaction, userId, id)
        ?? throw new DunlinException(ErrorCode.NotFound, $"No task with id '{id}'.", "taskId");

    public static async Task<bool> WasDeletedAsync(IUnitOfWork unit, string userId, string id) =>
        await AnyAsync(unit.Connection, unit.Transaction, userId, id) is { DeletedAt: not null };

    public static async ValueTask<FocusTask> AddAsync(
        IUnitOfWork unit,
        UserDevices devices,
        string userId,
        FocusTask task,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        task = task with { Version = (await unit.NextPositionAsync(cancellationToken)).Offset };
        await devices.BroadcastAsync(
            unit,
            userId,
            "tasks",
            "created",
            new { id = task.Id, task },
            deviceId,
            cancellationToken: cancellationToken
        );
        await unit.Connection.ExecuteAsync(
            "INSERT INTO focus_task (user_id, id, title, notes, is_done, logged_ms, version, created_at) "
                + "VALUES (@userId, @Id, @Title, @Notes, @isDone, @LoggedMs, @Version, @createdAt)",
            Parameters(userId, task),
            unit.Transaction
        );
        return task;
    }

    public static async ValueTask<FocusTask> ChangeAsync(
        IUnitOfWork unit,
        UserDevices devices,
        string userId,
        FocusTask task,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        task = task with { Version = (await unit.NextPositionAsync(cancellationToken)).Offset };
        await devices.BroadcastAsync(
            unit,
            userId,
            "tasks",
            "updated",
            new { id = task.Id, task },
            deviceId,
            cancellationToken: cancellationToken
        );
        await unit.Connection.ExecuteAsync(
            "UPDATE focus_task SET title = @Title, notes = @Notes, is_done = @isDone, logged_ms = @LoggedMs, version = @Version WHERE user_id = @userId AND id = @Id",
            Parameters(userId, task),
            unit.Transaction
        );
        return task;
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
        await devices.BroadcastAsync(unit, userId, "tasks", "deleted", new { id, version }, deviceId, cancellationToken: cancellationToken);
        await unit.Connection.ExecuteAsync(
            "UPDATE focus_task SET deleted_at = @now, version = @version WHERE user_id = @userId AND id = @id",
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
            "DELETE FROM focus_task WHERE user_id = @userId AND deleted_at <= (SELECT deleted_at FROM focus_task "
                + "WHERE user_id = @userId AND deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1 OFFSET @Deleted)",
            new { userId, FocusLimits.Deleted },
            unit.Transaction
        );
    }

    private static Task<Row?> AnyAsync(DbConnection connection, DbTransaction? transaction, string userId, string id) =>
        connection.QuerySingleOrDefaultAsync<Row>(
            $"SELECT {Columns} FROM focus_task WHERE user_id = @userId AND id = @id",
            new { userId, id },
            transaction
        );

    private static object Parameters(string userId, FocusTask task) =>
        new
        {
            userId,
            task.Id,
            task.Title,
            task.Notes,
            isDone = task.IsDone ? 1 : 0,
            task.LoggedMs,
            task.Version,
            createdAt = task.CreatedAt.ToUnixTimeMilliseconds(),
        };

    private sealed record Row(
        string Id,
        string Title,
        string Notes,
        long IsDone,
        long LoggedMs,
        long Version,
        long CreatedAt,
        long? DeletedAt
    )
    {
        public FocusTask Task() => new(Id, Title, Notes, IsDone != 0, LoggedMs, Version, WireTime.Of(CreatedAt));
    }
}
