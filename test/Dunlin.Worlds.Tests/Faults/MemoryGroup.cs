using System.Globalization;

namespace Dunlin.Worlds.Tests.Faults;

/// <summary>A control group of the kernel with a limit of memory. Above the limit the kernel kills the process. Needs root.</summary>
/// <remarks>Works with both versions of control groups.</remarks>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;

    private MemoryGroup(string folder) => _folder = folder;

    /// <summary>Puts a running process into a new group. Memory that it has already does not count.</summary>
    /// <param name="process">The id of the process.</param>
    /// <param name="megabytes">The limit for further memory.</param>
    /// <exception cref="IOException">The kernel has no control groups for memory.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not create groups.</exception>
    public static MemoryGroup Limit(int process, int megabytes)
    {
        const string Root = "/sys/fs/cgroup";
        var isFirst = Directory.Exists(Root + "/memory");
        var folder = Path.Combine(isFirst ? Root + "/memory" : Root, $"dunlin-test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        var group = new MemoryGroup(folder);
        group.Write(isFirst ? "memory.limit_in_bytes" : "memory.max", megabytes * 1_048_576L);
        group.Write("cgroup.procs", process);
        return group;
    }

    /// <summary>Deletes the group, whose process has ended.</summary>
    public void Dispose() => Directory.Delete(_folder);

    private void Write(string file, long value) =>
        File.WriteAllText(Path.Combine(_folder, file), value.ToString(CultureInfo.InvariantCulture));
}
