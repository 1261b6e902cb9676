using System.Data;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <content>
/// Handles a unit of work that still runs after its limit. Its transaction holds the lock of all writers.
/// <para>
/// Its connection may be executing a command. Npgsql refuses to close such a connection (<see cref="NpgsqlOperationInProgressException"/>).
/// If it stays open, it is idle in transaction after the command, and all nodes wait for the lock until the server's time-out. The writer
/// therefore terminates the session on the server, and closes the connection when no command runs on it.
/// </para>
/// <para>
/// After a jump in time (a paused process, a test), the limit and the grace period of a unit end at the same instant. The cancellation may
/// then arrive while a command of the unit runs, and the grace period may end before its response.
/// </para>
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
#pragma warning disable CA1031 // the idle time-out of the server ends the session later
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotTerminated(exception, processId, _settings.IdleTimeout.TotalSeconds);
        }
        // A unit between two commands may never end. Its later commands fail on the closed connection.
        if (connection?.FullState == ConnectionState.Open)
            await CloseAsync(connection);
        _ = CloseAfterAsync(running, connection);
    }

    private async Task CloseAfterAsync(Task running, NpgsqlConnection? connection)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await CloseAsync(connection);
    }
}
