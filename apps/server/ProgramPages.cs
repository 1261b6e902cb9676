using System.Globalization;
using System.Runtime.InteropServices;

namespace Dunlin.Server;

/// <summary>
/// Unmaps pages of the program's file that only the start read. The system keeps them in its cache, where it can drop them before any
/// mapped page, and maps a page again when the program needs it.
/// </summary>
internal static class ProgramPages
{
    private const int DontNeed = 4; // MADV_DONTNEED, on every Linux

    /// <summary>Returns the ranges that can be unmapped now; none where they are unknown, such as outside of Linux.</summary>
    public static IReadOnlyList<(nint Start, nuint Length)> Find()
    {
        try
        {
            return OperatingSystem.IsLinux() && new FileInfo("/proc/self/exe").LinkTarget is { } program
                ? [.. Unchanged(program, File.ReadLines("/proc/self/smaps"))]
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return []; // the program only takes more memory
        }
    }

    /// <summary>Unmaps the pages of ranges.</summary>
    /// <returns>The size of the unmapped ranges in bytes.</returns>
    public static long Release(IReadOnlyList<(nint Start, nuint Length)> ranges) =>
        ranges.Where(static range => Advise(range.Start, range.Length, DontNeed) == 0).Sum(static range => (long)range.Length);

    /// <summary>Returns the ranges of the program that cannot be written and were never changed in memory.</summary>
    /// <remarks>
    /// A page that the loader relocated is anonymous. Unmapped, it would have the addresses of the file again. Other files are left out:
    /// one that is closed meanwhile may leave its address to memory with data.
    /// </remarks>
    /// <param name="program">The path of the program, as the system names it.</param>
    /// <param name="smaps">The lines of <c>/proc/self/smaps</c>.</param>
    internal static IEnumerable<(nint Start, nuint Length)> Unchanged(string program, IEnumerable<string> smaps)
    {
        (nint Start, nuint Length)? range = null;
        foreach (var line in smaps)
        {
            var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (fields is ["Anonymous:", var kilobytes, ..] && range is { } candidate && kilobytes == "0")
                yield return candidate;
            // 7f0000000000-7f0000021000 r-xp 00000000 08:01 1234 /usr/bin/dunlin
            if (fields.Length > 0 && !fields[0].EndsWith(':'))
                range = fields is [var address, ['r', '-', _, 'p'], _, _, _, var path] && path == program ? Parse(address) : null;
        }
    }

    private static (nint Start, nuint Length) Parse(string address)
    {
        var ends = address.Split('-');
        var start = nint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (start, (nuint)(nint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start));
    }

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(nint address, nuint length, int advice);
}
