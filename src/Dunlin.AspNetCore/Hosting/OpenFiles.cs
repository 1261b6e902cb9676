using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Dunlin.Hosting;

/// <summary>Limits the connections of Kestrel to the open-file limit of the process.</summary>
public static class OpenFiles
{
    /// <summary>File descriptors left for other uses than connections. A host with all applications has 260 open before its first
    /// connection, mostly its own assemblies.</summary>
    private const int Reserve = 512;

    /// <summary>Limits concurrent connections to the soft open-file limit of the process (<c>ulimit -n</c>) less a reserve of 512 or of
    /// half the limit, whichever is smaller.</summary>
    /// <param name="kestrel">The options of Kestrel.</param>
    /// <returns>The same options.</returns>
    /// <remarks>A process without free file descriptors fails in many places and may end. An explicit
    /// <see cref="KestrelServerLimits.MaxConcurrentConnections"/> stays in force. On systems without <c>/proc/self/limits</c> the method
    /// has no effect.</remarks>
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
