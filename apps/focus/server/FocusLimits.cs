namespace Dunlin.Apps.Focus;

/// <summary>What one user can make the server keep here.</summary>
internal static class FocusLimits
{
    /// <summary>Devices of a user. A new one beyond takes the place of the oldest that is not connected, which is only forgotten by
    /// name: a browser whose storage is cleared is a new device each time, and nobody could remove the old ones.</summary>
    public const int Devices = 100;

    /// <summary>Calendar events of a user.</summary>
    public const int Events = 10_000;

    /// <summary>Tasks of a user. The page shows all of them.</summary>
    public const int Tasks = 2_000;

    /// <summary>Deleted events, and deleted tasks, that are remembered so that a late repetition does not create them anew.</summary>
    public const int Deleted = 1_000;

    /// <summary>Timers that are over. The page shows 50; the others tell a repeated "complete" from a first one.</summary>
    public const int Sessions = 2_000;
}
