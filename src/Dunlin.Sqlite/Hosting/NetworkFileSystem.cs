namespace Dunlin.Sqlite.Hosting;

/// <summary>Tells whether a file lies on a network file system, where SQLite's locks and shared memory cannot be trusted.</summary>
internal static class NetworkFileSystem
{
    private static readonly HashSet<string> Types = new(StringComparer.Ordinal)
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "smb2",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.rclone",
    };

    /// <summary>The type of the network file system that holds the path; null where it is none or cannot be told.</summary>
    public static string? TypeOf(string fullPath)
    {
        try
        {
            return OperatingSystem.IsLinux() && File.Exists("/proc/self/mountinfo")
                    ? TypeOf(fullPath, File.ReadLines("/proc/self/mountinfo"))
                : new DriveInfo(fullPath).DriveType == DriveType.Network ? "network drive"
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The same from the lines of <c>mountinfo</c> (proc(5)): the longest mount point above the path decides, the
    /// last of equals, because it hides those before.</summary>
    internal static string? TypeOf(string fullPath, IEnumerable<string> mountinfo)
    {
        var (length, type) = (-1, "");
        foreach (var line in mountinfo)
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator < 6 || fields.Length <= separator + 1)
                continue;
            var point = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            if (point.Length >= length && Topics.NamePrefix.Covers(point, fullPath))
                (length, type) = (point.Length, fields[separator + 1]);
        }
        return Types.Contains(type) ? type : null;
    }
}
