namespace Dunlin.Sqlite.Hosting;

/// <summary>Detects network file systems, where SQLite's locks and shared memory are unreliable.</summary>
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

    /// <summary>Returns the type of the network file system of a path, or null for a local or unknown file system.</summary>
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

    /// <summary>Returns the type according to the lines of <c>mountinfo</c> (proc(5)). The longest mount point above the path decides; of
    /// equal ones the last, because it hides the earlier ones.</summary>
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
