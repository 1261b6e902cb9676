using System.Data;
using System.Globalization;
using Dunlin.Postgres.Schema;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <content>
/// The connection was lost while the commit was under way: did it happen? The writer asks, on a new connection, and answers
/// nobody before it knows. It takes the lock first: the lost transaction held it, so once it is ours that transaction has
/// ended, even where the server had not noticed the loss yet, and its number tells how. The last event is compared as
/// well: after a fail-over to a server that lacked the commit, the number may belong to another transaction.
/// </content>
internal sealed partial class Writer
{
    private static readonly TimeSpan MaxResolving = TimeSpan.FromSeconds(30);

    private static readonly SqlText BeginWrite = new("begin_write");
    private static readonly SqlText Lock = new("lock");
    private static readonly SqlText FindOutcome = new("find_outcome");
    private static readonly SqlText FindEvent = new("find_event");

    /// <summary>Whether the transaction was committed; null where that cannot be found out.</summary>
    private async Task<bool?> ResolveAsync(WriterSession session, Exception exception)
    {
        await CloseAsync();
        // The server has answered with an error, and is still there: it has rolled back.
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
#pragma warning disable CA1031 // an answer that cannot be had is none; the requests are told so
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
        await using var ask = connection.Command(
            FindOutcome,
            Statements.Text(session.TransactionId.ToString(CultureInfo.InvariantCulture))
        );
        string? status;
        try
        {
            status = await ask.ExecuteScalarAsync() as string;
        }
        catch (PostgresException error) when (error.SqlState == "22023")
        {
            // A number from the future: this server has never heard of the transaction.
            return false;
        }
        if (status == "aborted")
            return false;
        if (status != "committed" || session.Events.Count == 0)
            return status == "committed" ? true : null;
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

    [LoggerMessage(2123, LogLevel.Warning, "The connection was lost during a commit of {Count} events. Committed: {Committed}.")]
    private partial void LogResolved(Exception exception, int count, bool? committed);

    [LoggerMessage(
        2124,
        LogLevel.Error,
        "The connection was lost during a commit of {Count} events, and its outcome could not be read. The requests fail with outcome_unknown."
    )]
    private partial void LogUnresolved(Exception exception, int count);
}
