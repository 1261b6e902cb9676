using Dunlin.Journal;
using Dunlin.Relational.Schema;
using Dunlin.Sqlite.Hosting;
using Dunlin.Sqlite.Journal;
using Dunlin.Sqlite.Schema;
using Microsoft.Extensions.Logging;

namespace Dunlin.Sqlite;

public sealed partial class SqliteStore
{
    private static readonly SqlText FindCounter = new("find_counter");
    private static readonly SqlText FindHead = new("find_head");
    private static readonly SqlText QuickCheck = new("quick_check");
    private static readonly SqlText BeginHistory = new("begin_history");

    private readonly ILogger _logger;

    // On another thread, because opening reads the disk and may run a long check.
    private protected override async Task OpenNowAsync(CancellationToken cancellationToken) =>
        _open = await Task.Run(() => OpenFileAsync(cancellationToken), cancellationToken);

    private protected override Task CloseNowAsync() => Task.Run(Close);

    private protected override void ThrowIfFaulted() => _open!.Writer.ThrowIfFaulted();

    private async Task<OpenFile> OpenFileAsync(CancellationToken cancellationToken)
    {
        SQLitePCL.Batteries_V2.Init();
        LogVersion(SQLitePCL.raw.sqlite3_libversion().utf8_to_string());
        var path = FullPath();
        if (!_options.AllowNetworkFileSystem && NetworkFileSystem.TypeOf(path) is { } type)
        {
            throw new InvalidOperationException(
                $"'{path}' is on a network file system ({type}), where SQLite can corrupt data. "
                    + "Use a local disk, or a server database for several nodes; "
                    + $"{nameof(SqliteOptions.AllowNetworkFileSystem)} opens it in spite of that."
            );
        }
        var guard = FileGuard.Take(path);
        Database? database = null;
        try
        {
            var began = NodeClock.TimeProvider.GetTimestamp();
            database = OpenWriter(path);
            if (guard.WasUnclean)
                Check(database, path);
            await new Migrator(database, Dialect, _logger).RunAsync(Schemas, cancellationToken);
            // A restored backup is another history: readers may have positions of events that it does not contain.
            database.Execute(BeginHistory.Text);
            // Each held lease ends one full duration from now. No holder could renew while the store was closed, and the wall clock of the
            // last run is not comparable with this one. A restart never shortens the time that a holder was promised.
            await database.Call("lease_redate").Time(NodeClock.Now).RunAsync(cancellationToken);
            var open = Start(path, guard, database);
            LogOpened(path, open.Writer.Head.Offset, NodeClock.TimeProvider.GetElapsedTime(began).TotalMilliseconds);
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
        var fencingToken = Number(database.Prepare(FindCounter).Bind(1, "fence"));
        var head = new Position(epoch, Number(database.Prepare(FindHead)));
        var settings = new WriterSettings(
            database,
            () => OpenWriter(path),
            head,
            fencingToken,
            _options.WriteLimit,
            _options.BusyTimeout,
            _faulted
        );
        var readers = new ReaderPool(() => Database.OpenReader(path, _options.BusyTimeout), _options.MaxReaders);
        return new OpenFile(guard, new Writer(settings, Feed, NodeClock, Instruments, _logger), readers);
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
        var began = NodeClock.TimeProvider.GetTimestamp();
        var result = database.Text(QuickCheck.Text);
        if (result != "ok")
        {
            throw new InvalidOperationException(
                $"The database '{path}' was not closed cleanly and is damaged: {result}. "
                    + "Restore a backup, or recover the readable part with .recover of the 'sqlite3' shell."
            );
        }
        LogChecked(path, NodeClock.TimeProvider.GetElapsedTime(began).TotalMilliseconds);
    }

    private string FullPath()
    {
        if (_options.Path is ":memory:" || _options.Path.Contains('=', StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"{nameof(SqliteOptions)}.{nameof(SqliteOptions.Path)} '{_options.Path}' is not a file path. Set the path of a file; "
                    + "for a store in memory, use AddInMemory()."
            );
        }
        var path = Path.GetFullPath(_options.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Resolves links so that aliases of one file share a lock file.
        return File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
    }

    private void Close()
    {
        var (guard, writer, readers) = _open!;
        readers.Dispose();
        writer.Dispose();
        if (writer.Fault is null)
            guard.MarkClean();
        guard.Dispose();
        LogClosed(writer.Head.Offset);
    }

    [LoggerMessage(2000, LogLevel.Information, "Using SQLite {Version}.")]
    private partial void LogVersion(string version);

    [LoggerMessage(2001, LogLevel.Information, "Opened {Path} at offset {Head} in {Milliseconds:0} ms.")]
    private partial void LogOpened(string path, long head, double milliseconds);

    [LoggerMessage(2002, LogLevel.Warning, "{Path} was not closed cleanly. The integrity check passed in {Milliseconds:0} ms.")]
    private partial void LogChecked(string path, double milliseconds);

    [LoggerMessage(2003, LogLevel.Information, "Closed the journal at offset {Head}.")]
    private partial void LogClosed(long head);

    private sealed record OpenFile(FileGuard Guard, Writer Writer, ReaderPool Readers);
}
