using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Accounts;

/// <summary>Sign-in sessions in the database, shared by all nodes.</summary>
internal sealed class PostgresSessionStore(PostgresStore store) : ISessionStore
{
    private static readonly SqlText Add = new("session_add");
    private static readonly SqlText Find = new("session_find");
    private static readonly SqlText Remove = new("session_remove");
    private static readonly SqlText List = new("session_list");
    private static readonly SqlText ForgetExpired = new("session_forget_expired");

    public async ValueTask AddAsync(Session session, CancellationToken cancellationToken) => await store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(
                Add,
                Statements.Text(session.SessionId),
                Statements.Text(session.UserId),
                Statements.Text(session.SecretHash),
                Statements.Time(session.CreatedAt),
                Statements.Time(session.ExpiresAt),
                Statements.Text(session.Description),
                Statements.Text(session.SecurityStamp));
            try
            {
                return await command.ExecuteNonQueryAsync(ct);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                throw new DunlinException(ErrorCode.Conflict, "A session with this id exists.");
            }
        },
        cancellationToken);

    public async ValueTask<Session?> FindAsync(string sessionId, CancellationToken cancellationToken)
    {
        // No text in the database holds NUL: whoever asks for one finds nothing.
        if (sessionId.Contains('\0', StringComparison.Ordinal))
            return null;
        return await store.QueryAsync(
            async (connection, ct) =>
            {
                await using var command = connection.Command(Find, Statements.Text(sessionId));
                await using var row = await command.ExecuteReaderAsync(ct);
                return await row.ReadAsync(ct) ? Read(row) : null;
            },
            cancellationToken);
    }

    public async ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken) => await store.WriteAsync(
        async (unit, ct) =>
        {
            await using var command = ((NpgsqlConnection)unit.Connection).Command(Remove, Statements.Text(ended.SessionId));
            if (await command.ExecuteScalarAsync(ct) is string userId)
                await unit.SessionEndedAsync(ended with { UserId = userId }, ct);
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<Session>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken) => store.QueryAsync<IReadOnlyList<Session>>(
        async (connection, ct) =>
        {
            await using var command = connection.Command(List, Statements.Time(now));
            await using var row = await command.ExecuteReaderAsync(ct);
            var sessions = new List<Session>();
            while (await row.ReadAsync(ct))
                sessions.Add(Read(row));
            return sessions;
        },
        cancellationToken);

    public ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        RunAsync(ForgetExpired, () => Statements.Time(before), cancellationToken);

    private async ValueTask RunAsync(SqlText sql, Func<NpgsqlParameter> parameter, CancellationToken cancellationToken) => await store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(sql, parameter());
            return await command.ExecuteNonQueryAsync(ct);
        },
        cancellationToken);

    private static Session Read(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.Time(3), row.Time(4), row.GetString(5)) { SecurityStamp = row.GetString(6) };
}
