using Dunlin.Sqlite.Schema;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>Copies the write-ahead log to the database file. Not thread-safe: only the writer runs it, after it has completed a
/// batch.</summary>
/// <remarks>An open reader limits how far one run copies. The next run continues.</remarks>
internal sealed partial class Checkpointer(TimeSpan busyTimeout, ILogger logger)
{
    /// <summary>Pages written to the log between two runs: SQLite's own default, about 4 MiB.</summary>
    private const int Interval = 1_000;

    /// <summary>Size of the log in pages (64 MiB) from which a run restarts the log, which waits for readers.</summary>
    private const int Large = 16_384;

    /// <summary>How long a restart waits for readers, in milliseconds. All writers wait too; page reads take less time.</summary>
    private const int RestartWaitMilliseconds = 50;

    // SQLITE_DBSTATUS_CACHE_WRITE: the number of pages written, which go to the log in WAL mode.
    private const int PagesWritten = 9;

    private int _pages;

    public void RunIfDue(Database database)
    {
        if (raw.sqlite3_db_status(database.Handle, PagesWritten, out var written, out _, 1) == raw.SQLITE_OK)
            _pages += written;
        if (_pages < Interval)
            return;
        _pages = 0;
        var code = raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var logged, out var moved);
        if (code == raw.SQLITE_OK && logged >= Large)
        {
            raw.sqlite3_busy_timeout(database.Handle, RestartWaitMilliseconds);
            code = raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_RESTART, out logged, out moved);
            raw.sqlite3_busy_timeout(database.Handle, (int)busyTimeout.TotalMilliseconds);
        }
        if (code is not raw.SQLITE_OK and not raw.SQLITE_BUSY)
        {
            var fault = Statement.Fault(database.Handle, code);
            if (SqliteFaults.IsFatal(fault))
                throw fault;
            LogFailed(fault);
        }
        LogRan(moved, logged);
    }

    /// <summary>Truncates the log before the file is closed.</summary>
    public void RunLast(Database database)
    {
        var code = raw.sqlite3_wal_checkpoint_v2(database.Handle, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        if (code is not raw.SQLITE_OK and not raw.SQLITE_BUSY)
            LogFailed(Statement.Fault(database.Handle, code));
    }

    [LoggerMessage(2030, LogLevel.Trace, "Checkpoint moved {Moved} of {Logged} pages to the database file.")]
    private partial void LogRan(int moved, int logged);

    [LoggerMessage(2031, LogLevel.Warning, "A checkpoint failed; retrying. The write-ahead log grows until one succeeds. Check the disk.")]
    private partial void LogFailed(Exception exception);
}
