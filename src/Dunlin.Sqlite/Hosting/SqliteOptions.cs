using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite;

/// <summary>Defines when the store completes a commit.</summary>
public enum SqliteDurability
{
    /// <summary>After the sync to disk. No completed commit is lost, not even in a power failure.</summary>
    Full,

    /// <summary>Before the sync to disk: faster on slow disks. A crash of the process loses nothing. A power failure or a crash of the
    /// operating system may lose the last completed commits, but never part of one.</summary>
    Normal,
}

/// <summary>Holds the options of the SQLite store.</summary>
public sealed class SqliteOptions
{
    /// <summary>The database file. Missing folders are created. Relative to the working directory. Required.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Path { get; set; } = "";

    /// <summary>
    /// When a commit is acknowledged. <c>Full</c>: after the sync to disk. <c>Normal</c>: before it; a power failure may lose the last
    /// acknowledged commits. Default: <see cref="SqliteDurability.Full"/>.
    /// </summary>
    public SqliteDurability Durability { get; set; } = SqliteDurability.Full;

    /// <summary>
    /// Longest duration of a unit of work. A longer one is cancelled and rolled back, because all other writers wait for it. Default: 5
    /// s. Range: 1 ms to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Longest duration of a read scope. A longer one is interrupted, because the write-ahead log grows meanwhile. Default: 30 s. Range:
    /// 1 ms to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time to wait for a lock that another program holds on the file (a backup, the sqlite3 shell). Zero: the request fails at once.
    /// Default: 5 s. Range: zero to 10 minutes.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest number of open connections for reading. Further readers wait. Default: 8. Range: 1 to 256.</summary>
    [Range(1, 256)]
    public int MaxReaders { get; set; } = 8;

    /// <summary>
    /// Largest size of the database file, in bytes. Writes beyond it fail; reads continue. Null: no limit. Default: null. Range: at least
    /// 64 KiB.
    /// </summary>
    [Range(64 * 1024, long.MaxValue)]
    public long? MaxFileBytes { get; set; }

    /// <summary>
    /// Whether a file on a network file system is opened. SQLite's locks are unsafe on most of them: the database is likely to be damaged
    /// unless one node alone uses it. Default: false.
    /// </summary>
    public bool AllowNetworkFileSystem { get; set; }
}

[OptionsValidator]
internal sealed partial class SqliteOptionsValidator : IValidateOptions<SqliteOptions>;
