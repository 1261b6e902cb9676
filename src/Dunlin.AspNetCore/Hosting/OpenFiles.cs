using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Dunlin.Hosting;

/// <summary>Keeps a server within the files that its process may open.</summary>
public static class OpenFiles
{
    /// <summary>What stays free for everything that is no connection. A host with all systems has 260 open before the first:
    /// mostly its own assemblies.</summary>
    private const int Reserve = 512;

    /// <summary>
    /// Refuses connections beyond what the process may open (<c>ulimit -n</c>, less a reserve): a process that runs out of files
    /// does not fail in one place but everywhere, and may end. An explicit <see cref="KestrelServerLimits.MaxConcurrentConnections"/>
    /// stays as it is; where the limit is not known (outside Linux) nothing changes.
    /// </summary>
    public static KestrelServerOptions LimitConnectionsToOpenFiles(this KestrelServerOptions kestrel)
    {
        if (kestrel.Limits.MaxConcurrentConnections is null && Limit() is { } files)
            kestrel.Limits.MaxConcurrentConnections = Math.Max(files / 2, files - Reserve);
        return kestrel;
    }

    private static long? Limit()
    {
        const string name = "Max open files";
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files) ? files : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
