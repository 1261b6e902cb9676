using Dunlin.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>What an error of SQLite means for the store.</summary>
internal static class SqliteFaults
{
    /// <summary>
    /// Whether the store must not go on. A failed write or sync is never tried again: the operating system may have dropped
    /// the pages and report success the next time, with the data gone.
    /// </summary>
    public static bool IsFatal(Exception? exception) =>
        exception switch
        {
            SqliteException sqlite => sqlite.SqliteErrorCode is raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB,
            null => false,
            _ => IsFatal(exception.InnerException),
        };

    /// <summary>Whether SQLite itself may have rolled the whole transaction back for this error.</summary>
    public static bool RollsBack(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_NOMEM or raw.SQLITE_INTERRUPT or raw.SQLITE_BUSY };

    /// <summary>
    /// Returns the exception for the caller: that of a full disk becomes <see cref="ErrorCode.StoreUnavailable"/>, others pass.
    /// </summary>
    public static Exception Translate(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: raw.SQLITE_FULL }
            ? new DunlinException(ErrorCode.StoreUnavailable, Reason(exception), null, exception)
            : exception;

    /// <summary>Why a batch was not kept, in words for the caller.</summary>
    public static string Reason(Exception exception) =>
        exception switch
        {
            SqliteException { SqliteErrorCode: raw.SQLITE_FULL } =>
                "The disk is full, or the database has reached SqliteOptions.MaxFileBytes; nothing was stored.",
            SqliteException { SqliteErrorCode: raw.SQLITE_BUSY } => "Another program holds a lock on the database; nothing was stored.",
            _ => "The write was rolled back together with another one; nothing was stored.",
        };
}
