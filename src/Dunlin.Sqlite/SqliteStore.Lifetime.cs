using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Sqlite.Hosting;
using Dunlin.Sqlite.Journal;
using Dunlin.Sqlite.Leases;
using Dunlin.Sqlite.Schema;
using Microsoft.Extensions.Logging;

namespace Dunlin.Sqlite;

public sealed partial class SqliteStore
{
    private static readonly SqlText FindCounter = new("find_counter");
    private static readonly SqlText FindHead = new("find_head");
    private static readonly SqlText QuickCheck = new("quick_check");

    /// <summary>Opens the file: takes it for this process, checks it after an unclean stop, brings the schema up to date and
    /// starts the writer. Opening again changes nothing.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be used; the message says why and what to do.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken = default)
    {
        if (_open is not null)
            return;
        await _lifetime.WaitAsync(cancellationToken);
        try
        {
            if (_isDisposed)
                throw new DunlinException(ErrorCode.StoreUnavailable, "The store is closed.");
            // Disk work, perhaps a long check: not on the caller's thread.
            _open ??= await Task.Run(OpenFileNow, cancellationToken);
        }
        finally
        {
            _lifetime.Release();
        }
    }

    /// <summary>Finishes the writes that are queued, refuses new ones, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.WaitAsync();
        try
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            if (_open is { } open)
                await Task.Run(() => Close(open));
            _instruments.Dispose();
        }
        finally
        {
            _lifetime.Release();
        }
    }

    private async ValueTask<OpenFile> OpenedAsync(CancellationToken cancellationToken)
    {
        if (_open is null)
            await OpenAsync(cancellationToken);
        var open = _open!;
        return open.Writer.Fault is { } fault ? throw Writer.Faulty(fault) : open;
    }

    private OpenFile OpenFileNow()
    {
        SQLitePCL.Batteries_V2.Init();
        LogVersion(SQLitePCL.raw.sqlite3_libversion().utf8_to_string());
        var path = FullPath();
        if (!_options.AllowNetworkFileSystem && NetworkFileSystem.TypeOf(path) is { } type)
        {
            throw new InvalidOperationException(
                $"'{path}' is on a network file system ({type}), where SQLite corrupts data sooner or later. Use a local disk, or a server database for several nodes; "
                + $"{nameof(SqliteOptions.AllowNetworkFileSystem)} opens it all the same.");
        }
        var guard = FileGuard.Take(path);
        Database? database = null;
        try
        {
            var began = _clock.TimeProvider.GetTimestamp();
            database = OpenWriter(path);
            if (guard.WasUnclean)
                Check(database, path);
            new Migrator(database, _logger).Run(_schemas);
            SqliteLeaseTable.Redate(database, _clock.Now);
            var open = Start(path, guard, database);
            LogOpened(path, open.Writer.Head, _clock.TimeProvider.GetElapsedTime(began).TotalMilliseconds);
            return open;
        }
        catch
        {
            database?.Dispose();
            if (!guard.WasUnclean)
                guard.MarkClean();
            guard.Dispose();
            throw;
        }
    }

    private OpenFile Start(string path, FileGuard guard, Database database)
    {
        var epoch = (uint)Number(database.Prepare(FindCounter).Bind(1, "epoch"));
        var fence = Number(database.Prepare(FindCounter).Bind(1, "fence"));
        var head = Number(database.Prepare(FindHead));
        var settings = new WriterSettings(
            database, () => OpenWriter(path), epoch, head, fence, _options.WriteLimit, _options.BusyTimeout, _faulted);
        var readers = new ReaderPool(() => Database.OpenReader(path, _options.BusyTimeout), _options.MaxReaders);
        return new OpenFile(guard, new Writer(settings, _feed, _clock, _instruments, _logger), readers, epoch);
    }

    private static long Number(Statement query)
    {
        query.Step();
        var value = query.Int64(0);
        query.Reset();
        return value;
    }

    private Database OpenWriter(string path) =>
        Database.OpenWriter(path, _options.Durability == SqliteDurability.Full, _options.BusyTimeout, _options.MaxFileBytes);

    private void Check(Database database, string path)
    {
        var began = Stopwatch.GetTimestamp();
        var result = database.Text(QuickCheck.Text);
        if (result != "ok")
        {
            throw new InvalidOperationException(
                $"The database '{path}' was not closed cleanly and is damaged: {result}. Restore a backup, or save what can be read with the 'sqlite3' shell's .recover.");
        }
        LogChecked(path, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    private string FullPath()
    {
        if (_options.Path is ":memory:" || _options.Path.Contains('=', StringComparison.Ordinal))
            throw new InvalidOperationException($"'{_options.Path}' is not a file path. {nameof(SqliteOptions)}.{nameof(SqliteOptions.Path)} names a file; AddInMemory() keeps nothing.");
        var path = Path.GetFullPath(_options.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // The lock lies beside the real file, so that two names of one file meet.
        return File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
    }

    private void Close(OpenFile open)
    {
        open.Readers.Dispose();
        open.Writer.Dispose();
        if (open.Writer.Fault is null)
            open.Guard.MarkClean();
        open.Guard.Dispose();
        LogClosed(open.Writer.Head);
    }

    [LoggerMessage(2000, LogLevel.Information, "SQLite {Version}.")]
    private partial void LogVersion(string version);

    [LoggerMessage(2001, LogLevel.Information, "Opened {Path} at offset {Head} in {Milliseconds:0} ms.")]
    private partial void LogOpened(string path, long head, double milliseconds);

    [LoggerMessage(2002, LogLevel.Warning, "{Path} was not closed cleanly; the check found it whole in {Milliseconds:0} ms.")]
    private partial void LogChecked(string path, double milliseconds);

    [LoggerMessage(2003, LogLevel.Information, "Closed at offset {Head}.")]
    private partial void LogClosed(long head);

    private sealed record OpenFile(FileGuard Guard, Writer Writer, ReaderPool Readers, uint Epoch);
}
