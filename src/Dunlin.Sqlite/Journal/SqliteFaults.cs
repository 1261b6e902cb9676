using Dunlin.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>Classifies errors of SQLite.</summary>
internal static class SqliteFaults
{
    /// <summary>Returns whether the store must stop.</summary>
    /// <remarks>A failed write or sync is never retried: the operating system may have dropped the pages, and may report success for the
    /// next sync although the data is lost.</remarks>
    public static bool IsFatal(Exception? exception) =>
        exception switch
        {
            SqliteException sqlite => sqlite.SqliteErrorCode is raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB,
            null => false,
            _ => IsFatal(exception.InnerException),
        };

    /// <summary>Returns whether SQLite itself may have rolled back the whole transaction after this error.</summary>
    public static bool RollsBack(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_NOMEM or raw.SQLITE_INTERRUPT or raw.SQLITE_BUSY };

    /// <summary>Returns the exception for the caller: <see cref="ErrorCode.StoreUnavailable"/> for a full disk, otherwise
    /// <paramref name="exception"/>.</summary>
    public static Exception Translate(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: raw.SQLITE_FULL }
            ? new DunlinException(ErrorCode.StoreUnavailable, Reason(exception), null, exception)
            : exception;

    /// <summary>Returns the reason why a batch was rolled back, for the caller.</summary>
    public static string Reason(Exception exception) =>
        exception switch
        {
            SqliteException { SqliteErrorCode: raw.SQLITE_FULL } =>
                "The disk is full, or the database has reached SqliteOptions.MaxFileBytes; nothing was stored.",
            SqliteException { SqliteErrorCode: raw.SQLITE_BUSY } => "Another program holds a lock on the database; nothing was stored.",
            _ => "The write was rolled back together with another one; nothing was stored.",
        };
}
