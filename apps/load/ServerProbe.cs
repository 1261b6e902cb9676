using System.Globalization;

namespace Dunlin.Apps.Load;

/// <summary>Reads memory and CPU of the server's process from /proc; null if it runs elsewhere.</summary>
public sealed class ServerProbe(int? processId)
{
    private static readonly double TicksPerSecond = 100; // USER_HZ, 100 on every Linux

    /// <summary>Returns the resident memory, and the CPU seconds since the process started.</summary>
    public (double MiB, double CpuSeconds)? Read()
    {
        if (processId is not { } id)
            return null;
        try
        {
            var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");
            // The process name in parentheses may contain spaces; the fields after it do not.
            var stat = File.ReadAllText(folder + "/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var cpu =
                (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture))
                / TicksPerSecond;
            var pages = double.Parse(File.ReadAllText(folder + "/statm").Split(' ')[1], CultureInfo.InvariantCulture);
            return (pages * Environment.SystemPageSize / 1024 / 1024, cpu);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
