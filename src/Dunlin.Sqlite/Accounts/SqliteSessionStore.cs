using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Accounts;

/// <summary>Sign-in sessions in the database.</summary>
internal sealed class SqliteSessionStore(SqliteStore store) : ISessionStore
{
    private static readonly SqlText Add = new("session_add");
    private static readonly SqlText Find = new("session_find");
    private static readonly SqlText Remove = new("session_remove");
    private static readonly SqlText List = new("session_list");
    private static readonly SqlText ForgetExpired = new("session_forget_expired");

    public async ValueTask AddAsync(Session session, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            writer =>
            {
                try
                {
                    writer.Database.Prepare(Add)
                        .Bind(1, session.SessionId)
                        .Bind(2, session.UserId)
                        .Bind(3, session.SecretHash)
                        .Bind(4, session.CreatedAt.UtcTicks)
                        .Bind(5, session.ExpiresAt.UtcTicks)
                        .Bind(6, session.Description)
                        .Bind(7, session.SecurityStamp)
                        .Run();
                    return true;
                }
                catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_CONSTRAINT)
                {
                    throw new DunlinException(ErrorCode.Conflict, "A session with this id exists.");
                }
            },
            cancellationToken);

    public ValueTask<Session?> FindAsync(string sessionId, CancellationToken cancellationToken) =>
        store.QueryAsync(
            database =>
            {
                var row = database.Prepare(Find).Bind(1, sessionId);
                var session = row.Step() ? Read(row) : null;
                row.Reset();
                return session;
            },
            cancellationToken);

    public ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken) =>
        RunAsync(database => database.Prepare(Remove).Bind(1, ended.SessionId).Run(), cancellationToken);

    public ValueTask<IReadOnlyList<Session>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        store.QueryAsync<IReadOnlyList<Session>>(
            database =>
            {
                var row = database.Prepare(List).Bind(1, now.UtcTicks);
                var sessions = new List<Session>();
                while (row.Step())
                    sessions.Add(Read(row));
                row.Reset();
                return sessions;
            },
            cancellationToken);

    public ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        RunAsync(database => database.Prepare(ForgetExpired).Bind(1, before.UtcTicks).Run(), cancellationToken);

    private async ValueTask RunAsync(Action<Database> change, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            writer =>
            {
                change(writer.Database);
                return true;
            },
            cancellationToken);

    private static Session Read(Statement row) => new(
        row.Text(0),
        row.Text(1),
        row.Text(2),
        new DateTimeOffset(row.Int64(3), TimeSpan.Zero),
        new DateTimeOffset(row.Int64(4), TimeSpan.Zero),
        row.Text(5))
    {
        SecurityStamp = row.Text(6),
    };
}
