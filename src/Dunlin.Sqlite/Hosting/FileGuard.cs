using System.Globalization;

namespace Dunlin.Sqlite.Hosting;

/// <summary>Reserves the database file for one store, and detects an unclean stop. Not thread-safe.</summary>
/// <remarks><c>{file}-lock</c> is locked while the store is open. The operating system releases the lock when the process ends for any
/// reason. <c>{file}-open</c> exists from the opening to the clean stop, so the next opening detects an unclean one.</remarks>
internal sealed class FileGuard : IDisposable
{
    private readonly FileStream _lock;
    private readonly string _marker;

    private FileGuard(FileStream @lock, string marker, bool wasUnclean)
    {
        _lock = @lock;
        _marker = marker;
        WasUnclean = wasUnclean;
    }

    /// <summary>Gets whether the last store did not close the file cleanly.</summary>
    public bool WasUnclean { get; }

    public static FileGuard Take(string path)
    {
        var marker = path + "-open";
        FileStream held;
        try
        {
            held = new FileStream(path + "-lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new InvalidOperationException(
                $"The database '{path}' is in use by {Owner(marker)}. Only one process, with one store, can open a file. Stop the other process, or use another file.",
                exception
            );
        }
        try
        {
            var wasUnclean = File.Exists(marker);
            File.WriteAllText(
                marker,
                string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}")
            );
            return new FileGuard(held, marker, wasUnclean);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Records a clean stop.</summary>
    public void MarkClean() => File.Delete(_marker);

    public void Dispose() => _lock.Dispose();

    private static string Owner(string marker)
    {
        try
        {
            return File.ReadAllText(marker);
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
