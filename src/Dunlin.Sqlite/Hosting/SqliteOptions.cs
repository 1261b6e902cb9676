using System.ComponentModel.DataAnnotations;

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
    /// <summary>Gets or sets the database file. The store creates its folder if needed. A relative path starts at the working directory.
    /// Required.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Path { get; set; } = "";

    /// <summary>Gets or sets when the store completes a commit. Default: <see cref="SqliteDurability.Full"/>.</summary>
    public SqliteDurability Durability { get; set; } = SqliteDurability.Full;

    /// <summary>Gets or sets the time after which a unit of work is cancelled and rolled back: 1 ms to 1 hour. Default: 5 seconds. All
    /// other writers wait while a unit of work runs.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the time after which a read scope is interrupted: 1 ms to 1 day. Default: 30 seconds. SQLite cannot truncate
    /// the write-ahead log beyond the snapshot of an open read scope.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long the store waits for a lock of another program on the file, such as a backup or the sqlite3 shell: 0
    /// to 10 minutes. Default: 5 seconds. Zero fails at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the maximum number of open connections for reading: 1 to 256. Further readers wait. Default: 8.</summary>
    [Range(1, 256)]
    public int MaxReaders { get; set; } = 8;

    /// <summary>Gets or sets the maximum size of the database file in bytes: at least 64 KiB. Larger writes fail, and the store stays
    /// usable. Default: null, which means no limit.</summary>
    [Range(64 * 1024, long.MaxValue)]
    public long? MaxFileBytes { get; set; }

    /// <summary>Gets or sets whether the store opens a file on a network file system. Default: false. SQLite's locks are unsafe on most of
    /// them: corruption is likely unless only this process uses the file.</summary>
    public bool AllowNetworkFileSystem { get; set; }
}
