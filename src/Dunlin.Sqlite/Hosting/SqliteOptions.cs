using System.ComponentModel.DataAnnotations;

namespace Dunlin.Sqlite;

/// <summary>When a commit is answered.</summary>
public enum SqliteDurability
{
    /// <summary>After the sync to the disk: nothing answered is lost, not even by a power cut.</summary>
    Full,

    /// <summary>Before the sync: faster on slow disks. A crash of the process loses nothing; a power cut or a crash of the
    /// operating system may lose the last answered commits (never tear one).</summary>
    Normal,
}

/// <summary>The embedded store.</summary>
public sealed class SqliteOptions
{
    /// <summary>The database file; its folder is made if needed. A relative path starts at the working directory.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Path { get; set; } = "";

    /// <summary>When a commit is answered. Default: <see cref="SqliteDurability.Full"/>.</summary>
    public SqliteDurability Durability { get; set; } = SqliteDurability.Full;

    /// <summary>How long a unit of work may take before it is cancelled and rolled back: it keeps all other writers waiting.
    /// Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a read scope may take before it is interrupted: while it lasts, the write-ahead log cannot be
    /// cleared beyond it. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for a lock of another program on the file (a backup, the sqlite3 shell). Default: 5 seconds.
    /// Zero refuses at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections for reading that are open at most; further readers wait. Default: 8.</summary>
    [Range(1, 256)]
    public int MaxReaders { get; set; } = 8;

    /// <summary>The size that the database file may reach, in bytes; writes beyond it fail and leave the store usable.
    /// Default: null, as large as the disk.</summary>
    [Range(64 * 1024, long.MaxValue)]
    public long? MaxFileBytes { get; set; }

    /// <summary>Opens a file on a network file system all the same. SQLite's locks are unsafe on most of them: corruption is
    /// likely unless this one node is the only one to touch it. Default: false.</summary>
    public bool AllowNetworkFileSystem { get; set; }
}
