using System.Runtime.InteropServices;
using SQLitePCL;

namespace Dunlin.Sqlite.Hosting;

/// <summary>
/// Chooses the native library: the operating system's where it is newer than the one in the package, because that one is
/// patched by the system's updates while ours ages with the package. Decided once, before the first use of SQLite.
/// </summary>
internal static class NativeSqlite
{
    // The first with RETURNING, which schema scripts of applications may use.
    private const int MinVersion = 3_035_000;

    private static readonly Lazy<string> Chosen = new(Choose);

    /// <summary>Makes SQLite ready for use.</summary>
    /// <returns>The version that runs and where it came from, for the log.</returns>
    public static string Initialize() => Chosen.Value;

    private static string Choose()
    {
        var provider = typeof(SQLite3Provider_e_sqlite3).Assembly;
        var origin = "of the package";
        var system = LoadSystem();
        if (system != 0 && VersionOf(system) is >= MinVersion and var version && version > BundledVersion(provider))
        {
            try
            {
                NativeLibrary.SetDllImportResolver(provider, (name, _, _) => name == "e_sqlite3" ? system : 0);
                origin = "of the operating system";
            }
            catch (InvalidOperationException)
            {
                origin = "chosen by the application's own resolver";
            }
        }
        Batteries_V2.Init();
        return $"{raw.sqlite3_libversion().utf8_to_string()} ({origin})";
    }

    private static nint LoadSystem()
    {
        var name = OperatingSystem.IsLinux() ? "libsqlite3.so.0" : OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : null;
        return name is not null && NativeLibrary.TryLoad(name, out var library) && IsThreadSafe(library) ? library : 0;
    }

    private static int BundledVersion(System.Reflection.Assembly provider) =>
        NativeLibrary.TryLoad("e_sqlite3", provider, null, out var library) ? VersionOf(library) : 0;

    private static int VersionOf(nint library) => Call(library, "sqlite3_libversion_number");

    // Built without mutexes, it could not be used from several threads.
    private static bool IsThreadSafe(nint library) => Call(library, "sqlite3_threadsafe") == 1;

    private static int Call(nint library, string function) =>
        NativeLibrary.TryGetExport(library, function, out var address) ? Marshal.GetDelegateForFunctionPointer<IntFunction>(address)() : 0;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int IntFunction();
}
