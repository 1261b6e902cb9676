using System.IO.MemoryMappedFiles;
using Dunlin.TestKit.Servers;

namespace Dunlin.Worlds.Tests.Faults;

/// <summary>What happens to calls for the files of a folder. The numbers are those of <c>faults.c</c>.</summary>
internal enum DiskFault
{
    None = 0,
    SyncFails = 1,
    SyncIsSlow = 2,
    WriteIsShort = 3,
    WriteFails = 4,
    DiskIsFull = 5,
}

/// <summary>
/// Makes writes and syncs of another process fail, and steps its wall clock, with the library <c>faults.c</c>, which gcc compiles for the
/// run. Works with dynamically linked programs only.
/// </summary>
internal sealed class FaultLibrary : IDisposable
{
    private const int Size = 16;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-faults-");
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _control;

    private FaultLibrary()
    {
        var path = Path.Combine(_folder.FullName, "control");
        File.WriteAllBytes(path, new byte[Size]);
        // Servers run as other users.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(path, (UnixFileMode)0b110_110_110);
        }
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, Size);
        _control = _file.CreateViewAccessor(0, Size);
    }

    /// <summary>Gets the calls that failed or were slow or short since <see cref="Set"/>.</summary>
    public int Hits => _control.ReadInt32(8);

    /// <summary>Compiles the library, and adds it to the environment of a process.</summary>
    /// <param name="settings">The environment.</param>
    /// <param name="under">The folder whose files are faulty.</param>
    public static async Task<FaultLibrary> AddAsync(Dictionary<string, string> settings, string under)
    {
        var faults = new FaultLibrary();
        var file = Path.Combine(faults._folder.FullName, "faults.so");
        var source = Path.Combine(AppContext.BaseDirectory, "Faults", "faults.c");
        await ServerProcess.RunAsync(
            ServerProcess.Find("gcc", "gcc"),
            ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", file, source, "-ldl"]
        );
        settings["LD_PRELOAD"] = file;
        settings["DUNLIN_FAULTS"] = Path.Combine(faults._folder.FullName, "control");
        settings["DUNLIN_FAULTS_UNDER"] = under;
        return faults;
    }

    /// <summary>Changes the fault of the running process, and sets <see cref="Hits"/> to zero.</summary>
    public void Set(DiskFault fault, TimeSpan delay = default)
    {
        _control.Write(4, (int)delay.TotalMilliseconds);
        _control.Write(8, 0);
        _control.Write(0, (int)fault);
    }

    /// <summary>Sets the wall clock of the process to the real time plus an offset, at once. Its monotonic clock stays real.</summary>
    public void SetClock(TimeSpan offset) => _control.Write(12, (int)offset.TotalSeconds);

    public void Dispose()
    {
        _control.Dispose();
        _file.Dispose();
        _folder.Delete(recursive: true);
    }
}
