using System.Data.Common;
using System.Text.Json;
using Dapper;
using Dunlin.Journal;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>A user's timer as it is stored.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Version">The journal offset of the last event.</param>
/// <param name="State">The active timer.</param>
/// <param name="Cancelled">The last timer, if it was cancelled and none has started since.</param>
internal sealed record TimerRow(string UserId, long Version, TimerState? State, TimerState? Cancelled = null);

/// <summary>The SQL of timers and finished sessions.</summary>
internal static class TimerRows
{
    private const string SessionColumns =
        "id, version, outcome, task_id AS TaskId, task_title AS TaskTitle, mode, focused_ms AS FocusedMs, logged_ms AS LoggedMs, paused_ms AS PausedMs, pauses, "
        + "started_at AS StartedAt, ended_at AS EndedAt";

    public static async Task<TimerRow> FindAsync(DbConnection connection, DbTransaction? transaction, string userId)
    {
        var row = await connection.QuerySingleOrDefaultAsync<(long Version, string? State, string? Cancelled)>(
            "SELECT version, state, cancelled FROM focus_timer WHERE user_id = @userId",
            new { userId },
            transaction
        );
        return new TimerRow(userId, row.Version, Read(row.State), Read(row.Cancelled));
    }

    public static Task SaveAsync(IUnitOfWork unit, TimerRow row) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO focus_timer (user_id, version, state, cancelled, due_at) VALUES (@UserId, @Version, @state, @cancelled, @dueAt) "
                + "ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, state = excluded.state, cancelled = excluded.cancelled, "
                + "due_at = excluded.due_at",
            new
            {
                row.UserId,
                row.Version,
                state = Written(row.State),
                cancelled = Written(row.Cancelled),
                dueAt = row.State?.DueAt,
            },
            unit.Transaction
        );

    /// <summary>Returns a page of user ids whose timers are due by a time, ordered by id.</summary>
    public static async Task<IReadOnlyList<string>> DueAsync(DbConnection connection, long until, string after, int limit) =>
        [
            .. await connection.QueryAsync<string>(
                "SELECT user_id FROM focus_timer WHERE due_at <= @until AND user_id > @after ORDER BY user_id LIMIT @limit",
                new
                {
                    until,
                    after,
                    limit,
                }
            ),
        ];

    private static TimerState? Read(string? state) =>
        state is null ? null : JsonSerializer.Deserialize<TimerState>(state, JsonSerializerOptions.Web);

    private static string? Written(TimerState? state) => state is null ? null : JsonSerializer.Serialize(state, JsonSerializerOptions.Web);

    /// <summary>Removes a finished timer that continues.</summary>
    public static Task DeleteSessionAsync(IUnitOfWork unit, string userId, string id) =>
        unit.Connection.ExecuteAsync(
            "DELETE FROM focus_session WHERE user_id = @userId AND id = @id",
            new { userId, id },
            unit.Transaction
        );

    public static async Task AddSessionAsync(IUnitOfWork unit, string userId, SessionView session)
    {
        await InsertAsync(unit, userId, session);
        await unit.Connection.ExecuteAsync(
            "DELETE FROM focus_session WHERE user_id = @userId AND ended_at <= (SELECT ended_at FROM focus_session "
                + "WHERE user_id = @userId ORDER BY ended_at DESC LIMIT 1 OFFSET @Sessions)",
            new { userId, FocusLimits.Sessions },
            unit.Transaction
        );
    }

    private static Task InsertAsync(IUnitOfWork unit, string userId, SessionView session) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO focus_session (user_id, id, task_id, task_title, mode, outcome, focused_ms, logged_ms, paused_ms, pauses, started_at, ended_at, version) "
                + "VALUES (@userId, @Id, @TaskId, @TaskTitle, @mode, @Outcome, @FocusedMs, @LoggedMs, @PausedMs, @Pauses, @startedAt, @endedAt, @Version)",
            new
            {
                userId,
                session.Id,
                session.TaskId,
                session.TaskTitle,
                mode = session.Mode.ToString(),
                session.Outcome,
                session.FocusedMs,
                session.LoggedMs,
                session.PausedMs,
                session.Pauses,
                startedAt = session.StartedAt.ToUnixTimeMilliseconds(),
                endedAt = session.EndedAt.ToUnixTimeMilliseconds(),
                session.Version,
            },
            unit.Transaction
        );

    public static async Task<SessionView?> SessionAsync(DbConnection connection, DbTransaction? transaction, string userId, string id) =>
        (
            await connection.QuerySingleOrDefaultAsync<SessionRow>(
                $"SELECT {SessionColumns} FROM focus_session WHERE user_id = @userId AND id = @id",
                new { userId, id },
                transaction
            )
        )?.View();

    public static async Task<IReadOnlyList<SessionView>> SessionsAsync(DbConnection connection, string userId, int limit) =>
        [
            .. (
                await connection.QueryAsync<SessionRow>(
                    $"SELECT {SessionColumns} FROM focus_session WHERE user_id = @userId ORDER BY ended_at DESC, id LIMIT @limit",
                    new { userId, limit }
                )
            ).Select(row => row.View()),
        ];

    /// <summary>Returns the timers that started in an interval, earliest first.</summary>
    public static async Task<IReadOnlyList<SessionView>> SessionsAsync(
        DbConnection connection,
        string userId,
        DateTimeOffset from,
        DateTimeOffset to
    ) =>
        [
            .. (
                await connection.QueryAsync<SessionRow>(
                    $"SELECT {SessionColumns} FROM focus_session WHERE user_id = @userId AND started_at >= @from AND started_at < @to "
                        + "ORDER BY started_at, id",
                    new
                    {
                        userId,
                        from = from.ToUnixTimeMilliseconds(),
                        to = to.ToUnixTimeMilliseconds(),
                    }
                )
            ).Select(row => row.View()),
        ];

    private sealed record SessionRow(
        string Id,
        long Version,
        string Outcome,
        string? TaskId,
        string TaskTitle,
        string Mode,
        long FocusedMs,
        long LoggedMs,
        long PausedMs,
        long Pauses,
        long StartedAt,
        long EndedAt
    )
    {
        public SessionView View() =>
            new(
                Id,
                Version,
                Outcome,
                TaskId,
                TaskTitle,
                Enum.Parse<TimerMode>(Mode),
                FocusedMs,
                LoggedMs,
                PausedMs,
                (int)Pauses,
                WireTime.Of(StartedAt),
                WireTime.Of(EndedAt)
            );
    }
}
