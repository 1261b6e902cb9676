using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Sqlite.Hosting;
using Dunlin.Sqlite.Schema;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite;

/// <summary>Copies the database file of a store, also while a server uses it, and restores such a copy. Thread-safe.</summary>
/// <remarks>A copy is marked as a backup. The store that opens it, or a copy of it, begins a new epoch: a reader with a position of the
/// earlier history receives <c>dunlin.reset</c> and never misses events silently.</remarks>
public static class SqliteBackup
{
    private const string ReplacedSuffix = ".replaced";

    private static readonly SqlText FindCounter = new("find_counter");
    private static readonly SqlText FindHead = new("find_head");
    private static readonly SqlText MarkBackup = new("mark_backup");

    // The write-ahead log and its index belong to the database file and move with it.
    private static readonly string[] Parts = ["", "-wal", "-shm"];

    /// <summary>Copies the database of one moment. Writers and readers continue meanwhile. The copy is checked, and is on disk when the
    /// call returns.</summary>
    /// <param name="database">The database file.</param>
    /// <param name="backup">The file to create. An interrupted call leaves <c>{backup}.partial</c> at most.</param>
    /// <param name="cancellationToken">Cancels the copy.</param>
    /// <returns>The position of the last event in the copy, in the epoch of the source.</returns>
    /// <exception cref="IOException">The database does not exist, the backup exists already, or a file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The file is no database of Dunlin, or it is damaged.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static Task<Position> CreateAsync(string database, string backup, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(database);
        ArgumentException.ThrowIfNullOrEmpty(backup);
        return Task.Run(() => Create(Path.GetFullPath(database), Path.GetFullPath(backup), cancellationToken), cancellationToken);
    }

    /// <summary>Copies a backup to the place of a database that no server uses.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="database">The database file to create.</param>
    /// <param name="replace">Whether an existing database is kept as <c>{database}.replaced</c>. Otherwise it is an error.</param>
    /// <param name="cancellationToken">Cancels the copy.</param>
    /// <returns>The position of the last event, in the epoch of the backup's source. The next start begins another epoch.</returns>
    /// <exception cref="IOException">The backup does not exist, the database exists and <paramref name="replace"/> is false, or a file
    /// cannot be written.</exception>
    /// <exception cref="InvalidOperationException">A server uses the database, or the backup is damaged or no database of
    /// Dunlin.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static Task<Position> RestoreAsync(
        string backup,
        string database,
        bool replace = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(database);
        ArgumentException.ThrowIfNullOrEmpty(backup);
        return Task.Run(() => Restore(Path.GetFullPath(backup), Path.GetFullPath(database), replace, cancellationToken), cancellationToken);
    }

    private static Position Create(string database, string backup, CancellationToken cancellationToken)
    {
        RequireFile(database, "database");
        if (File.Exists(backup))
            throw new IOException($"The file '{backup}' exists already. Choose another name for the backup.");
        var partial = backup + ".partial";
        File.Delete(partial);
        Copy(database, partial, cancellationToken);
        var head = Complete(partial, database);
        File.Move(partial, backup);
        return head;
    }

    private static Position Restore(string backup, string database, bool replace, CancellationToken cancellationToken)
    {
        RequireFile(backup, "backup");
        if (!replace && File.Exists(database))
            throw new IOException($"The database '{database}' exists. Allow the restore to replace it, or choose another folder.");
        Directory.CreateDirectory(Path.GetDirectoryName(database)!);
        var guard = FileGuard.Take(database);
        try
        {
            var copy = database + ".restoring";
            File.Delete(copy);
            Copy(backup, copy, cancellationToken);
            var head = Complete(copy, backup);
            SetAside(database);
            File.Move(copy, database);
            // The state of the replaced database does not matter: this one has just been checked.
            guard.MarkClean();
            return head;
        }
        catch
        {
            if (!guard.WasUnclean)
                guard.MarkClean();
            throw;
        }
        finally
        {
            guard.Dispose();
        }
    }

    private static void RequireFile(string path, string name)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"The {name} '{path}' does not exist.", path);
    }

    /// <summary>Moves an existing database out of the way, with its write-ahead log.</summary>
    private static void SetAside(string database)
    {
        if (!File.Exists(database))
            return;
        var replaced = database + ReplacedSuffix;
        if (File.Exists(replaced))
            throw new IOException($"The file '{replaced}' of an earlier restore exists. Move it elsewhere, then repeat the restore.");
        foreach (var part in Parts.Where(part => File.Exists(database + part)))
            File.Move(database + part, replaced + part);
    }

    /// <summary>Copies one snapshot: VACUUM INTO reads in one transaction, which does not block the writer.</summary>
    private static void Copy(string from, string to, CancellationToken cancellationToken)
    {
        Batteries_V2.Init();
        try
        {
            using var connection = Open(from, SqliteOpenMode.ReadWrite);
            using var interruption = cancellationToken.Register(() => raw.sqlite3_interrupt(connection.Handle!));
            using var command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $path";
            command.Parameters.AddWithValue("$path", to);
            command.ExecuteNonQuery();
        }
        catch (SqliteException exception)
        {
            File.Delete(to);
            cancellationToken.ThrowIfCancellationRequested();
            throw Unusable(from, exception.Message, exception);
        }
    }

    /// <summary>Checks and marks a copy, and waits until it is on disk.</summary>
    private static Position Complete(string copy, string source)
    {
        Position head;
        try
        {
            using var connection = Open(copy, SqliteOpenMode.ReadWrite);
            if (Text(connection, "PRAGMA integrity_check") is not "ok" and var fault)
                throw Unusable(source, fault, null);
            Execute(connection, MarkBackup.Text);
            head = new Position((uint)Number(connection, FindCounter.Text, "epoch"), Number(connection, FindHead.Text));
        }
        catch (SqliteException exception)
        {
            File.Delete(copy);
            throw Unusable(source, exception.Message, exception);
        }
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
        return head;
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = mode,
                Pooling = false,
                DefaultTimeout = 0,
            }.ConnectionString
        );
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle!, (int)TimeSpan.FromSeconds(30).TotalMilliseconds);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static string Text(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (string)command.ExecuteScalar()!;
    }

    private static long Number(SqliteConnection connection, string sql, string? parameter = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (parameter is not null)
            command.Parameters.AddWithValue("?1", parameter);
        return (long)command.ExecuteScalar()!;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static InvalidOperationException Unusable(string path, string reason, DbException? cause) =>
        new($"'{path}' is no usable database of Dunlin: {reason}", cause);
}
