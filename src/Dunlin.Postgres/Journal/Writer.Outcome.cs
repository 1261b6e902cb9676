using System.Data;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <content>
/// Finds out the outcome of a commit whose connection was lost. The writer queries it on a new connection, and completes no request before.
/// <para>
/// The writer takes the lock first. The lost transaction held the lock, so it has ended by then, even if the server had not noticed the
/// loss earlier. Its transaction id shows its outcome. The writer also compares the last event: after a fail-over to a server without the
/// commit, the id may belong to another transaction.
/// </para>
/// </content>
internal sealed partial class Writer
{
    private static readonly TimeSpan MaxResolving = TimeSpan.FromSeconds(30);

    private static readonly SqlText BeginWrite = new("begin_write");
    private static readonly SqlText Lock = new("lock");
    private static readonly SqlText FindEvent = new("find_event");

    /// <summary>Returns whether the transaction was committed, or null if that cannot be found out.</summary>
    private async Task<bool?> ResolveAsync(WriterSession session, Exception exception)
    {
        await CloseAsync();
        // The server has returned an error on a live connection, so it has rolled back.
        if (!PostgresFaults.IsLost(exception))
            return false;
        _head.Lost(exception);
        var began = _settings.Time.GetTimestamp();
        for (var delay = FirstDelay; _settings.Time.GetElapsedTime(began) < MaxResolving; delay = delay < MaxDelay ? 2 * delay : MaxDelay)
        {
            try
            {
                var outcome = await AskAsync(session);
                LogResolved(exception, session.Events.Count, outcome);
                return outcome;
            }
            catch (Exception error) when (PostgresFaults.IsTransient(error))
            {
                await Task.Delay(delay, _settings.Time);
            }
#pragma warning disable CA1031 // any other exception leaves the outcome unknown
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogUnresolved(error, session.Events.Count);
                return null;
            }
        }
        LogUnresolved(exception, session.Events.Count);
        return null;
    }

    private async Task<bool?> AskAsync(WriterSession session)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted);
        await using (var batch = new NpgsqlBatch(connection))
        {
            await batch
                .Add(
                    BeginWrite,
                    WriterSession.Milliseconds(_settings.LockTimeout),
                    WriterSession.Milliseconds(_settings.StatementTimeout),
                    WriterSession.Milliseconds(_settings.IdleTimeout)
                )
                .Add(Lock)
                .ExecuteNonQueryAsync();
        }
        var outcome = await TransactionOutcome.FindAsync(connection, session.TransactionId, CancellationToken.None);
        if (outcome != true || session.Events.Count == 0)
            return outcome;
        var last = session.Events[^1];
        await using var compare = connection.Command(
            FindEvent,
            Statements.Number(last.Position.Offset),
            Statements.Number(last.Time.ToUnixTimeMilliseconds()),
            Statements.Text(last.Type),
            Statements.Bytes(last.Data)
        );
        return (long)(await compare.ExecuteScalarAsync())! == 1 ? true : null;
    }
}
