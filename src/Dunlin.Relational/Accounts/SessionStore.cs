using System.Data.Common;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Accounts;

/// <summary>Sign-in sessions in the database. Safe for concurrent use.</summary>
internal sealed class SessionStore(RelationalStore store) : ISessionStore
{
    public async ValueTask AddAsync(SessionRow session, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            async (sql, ct) =>
            {
                try
                {
                    return await sql.Call("session_add")
                        .Text(session.SessionId)
                        .Text(session.UserId)
                        .Text(session.SecretHash)
                        .Time(session.CreatedAt)
                        .Time(session.ExpiresAt)
                        .Text(session.Description)
                        .Text(session.SecurityStamp)
                        .RunAsync(ct);
                }
                catch (DbException exception) when (sql.IsDuplicate(exception))
                {
                    throw new DunlinException(ErrorCode.Conflict, "A session with this id exists.");
                }
            },
            cancellationToken
        );

    public async ValueTask<SessionRow?> FindAsync(string sessionId, CancellationToken cancellationToken) =>
        // No text in a database holds NUL, and PostgreSQL refuses the parameter.
        sessionId.Contains('\0', StringComparison.Ordinal)
            ? null
            : await store.LookUpAsync((sql, ct) => sql.Call("session_find").Text(sessionId).FindAsync(Read, ct), cancellationToken);

    public async ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken) =>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                var userId = await ((UnitOfWork)unit)
                    .Session.Call("session_remove")
                    .Text(ended.SessionId)
                    .FindAsync(static row => row.Text(0), ct);
                if (userId is not null && store.Dialect.IsShared)
                    await unit.SessionEndedAsync(ended with { UserId = userId }, ct);
                return userId;
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<SessionRow>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        store.LookUpAsync((sql, ct) => sql.Call("session_list").Time(now).ListAsync(Read, ct), cancellationToken);

    public async ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        await store.ChangeAsync((sql, ct) => sql.Call("session_forget_expired").Time(before).RunAsync(ct), cancellationToken);

    private static SessionRow Read(ISqlRow row) =>
        new(row.Text(0), row.Text(1), row.Text(2), row.Time(3), row.Time(4), row.Text(5)) { SecurityStamp = row.Text(6) };
}
