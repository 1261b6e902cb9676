namespace Dunlin.Apps.Focus;

/// <summary>Limits of one user's stored data.</summary>
internal static class FocusLimits
{
    /// <summary>
    /// Devices of a user. A new device beyond the limit replaces the oldest disconnected device, whose name is lost. A browser with cleared
    /// storage is a new device, and users cannot remove old ones.
    /// </summary>
    public const int Devices = 100;

    /// <summary>Calendar events of a user.</summary>
    public const int Events = 10_000;

    /// <summary>Repeating events of a user. Each is expanded for a displayed range.</summary>
    public const int Series = 200;

    /// <summary>Tasks of a user. The page displays all of them.</summary>
    public const int Tasks = 2_000;

    /// <summary>
    /// Deleted events, and deleted tasks, that are remembered so that a late repeated request does not create them again.
    /// </summary>
    public const int Deleted = 1_000;

    /// <summary>Finished timers. The page displays 50. The others identify a repeated "complete".</summary>
    public const int Sessions = 2_000;
}
