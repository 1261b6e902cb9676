using System.Data;
using Dunlin.Postgres.Schema;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <content>
/// A unit of work was given up while it still ran. Its transaction holds the lock of all writers, and its connection may be in the
/// middle of a command: Npgsql refuses to close it then (<see cref="NpgsqlOperationInProgressException"/>), and one that is left open
/// stays idle in transaction once the command has ended, so that every node waits for the lock until the server's time-out.
/// The server is asked to end the session instead; the connection is closed when nothing runs on it.
/// <para>Time that leaps (a paused process, a test) passes the limit of a unit and its grace in one instant, while a command of the
/// unit is on its way: the cancellation, and the end of the grace before its answer has come.</para>
/// </content>
internal sealed partial class Writer
{
    private static readonly SqlText TerminateSession = new("terminate_session");

    private async Task AbandonAsync(Task running)
    {
        var (connection, processId) = (_connection, _processId);
        _connection = null;
        try
        {
            await using var other = await _database.OpenConnectionAsync();
            await using var command = other.Command(TerminateSession, Statements.Number(processId));
            await command.ExecuteNonQueryAsync();
        }
#pragma warning disable CA1031 // the server ends it by itself when it has been idle for too long
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotTerminated(exception, processId, _settings.IdleTimeout.TotalSeconds);
        }
        // A unit between two commands may never end; what it still does on a closed connection fails.
        if (connection?.FullState == ConnectionState.Open)
            await CloseAsync(connection);
        _ = CloseAfterAsync(running, connection);
    }

    private async Task CloseAfterAsync(Task running, NpgsqlConnection? connection)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await CloseAsync(connection);
    }

    [LoggerMessage(
        2125,
        LogLevel.Warning,
        "Terminating the database session {ProcessId} of an abandoned unit of work failed. Writes of all nodes wait until the server ends it, after {Seconds} s without a command. To end the wait, run pg_terminate_backend."
    )]
    private partial void LogNotTerminated(Exception exception, int processId, double seconds);
}
