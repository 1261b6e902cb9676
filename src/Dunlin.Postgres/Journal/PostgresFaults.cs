using System.Net.Sockets;
using Dunlin.Diagnostics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>Classifies errors of PostgreSQL and of the connection to it.</summary>
internal static class PostgresFaults
{
    /// <summary>Returns whether the connection is lost, or will be. The outcome of its last operation is unknown, unless COMMIT had not
    /// been sent.</summary>
    public static bool IsLost(Exception exception) =>
        exception switch
        {
            // Classes 08 (connection), 57P0x (shutdown, crash, starting, dropped, idle), 25P03 (idle in transaction), 53300 (too many).
            PostgresException postgres => postgres.Severity is "FATAL" or "PANIC"
                || postgres.SqlState.StartsWith("08", StringComparison.Ordinal)
                || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || postgres.SqlState is "25P03" or "53300",
            NpgsqlException or IOException or SocketException or TimeoutException or ObjectDisposedException => true,
            _ => false,
        };

    /// <summary>Returns whether a retry may succeed: after lock and statement time-outs, deadlocks, serialization failures and lost
    /// connections.</summary>
    public static bool IsTransient(Exception exception) =>
        IsLost(exception) || exception is PostgresException { SqlState: "40001" or "40P01" or "55P03" or "57014" or "53100" or "53200" };

    /// <summary>Returns the exception for the caller of a rolled-back change: <see cref="ErrorCode.StoreUnavailable"/> for a transient
    /// error, otherwise <paramref name="exception"/>.</summary>
    public static Exception Translate(Exception exception) =>
        exception is not DunlinException && IsTransient(exception) ? Unavailable(Reason(exception), exception) : exception;

    public static DunlinException Unavailable(string detail, Exception? cause = null) =>
        new(ErrorCode.StoreUnavailable, detail, null, cause);

    /// <summary>Returns the exception for the caller of a single-statement change whose connection was lost. The change may have been
    /// committed.</summary>
    public static DunlinException LostInChange(Exception exception) =>
        new(
            ErrorCode.OutcomeUnknown,
            "The connection to the database was lost during the change; it may have been stored.",
            null,
            exception
        );

    private static string Reason(Exception exception) =>
        exception switch
        {
            PostgresException { SqlState: "40P01" } => "The database cancelled this request to end a deadlock; nothing was stored.",
            PostgresException { SqlState: "40001" } => "A concurrent change conflicted with this one; nothing was stored.",
            PostgresException { SqlState: "55P03" } => "The database is locked by another session; nothing was stored.",
            PostgresException { SqlState: "57014" } => "The database did not answer in time; nothing was stored.",
            PostgresException { SqlState: "53100" } => "The disk of the database is full; nothing was stored.",
            _ => "The database cannot be reached; nothing was stored.",
        };
}
