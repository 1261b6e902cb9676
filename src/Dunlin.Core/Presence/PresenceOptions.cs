namespace Dunlin.Presence;

/// <summary>When somebody counts as gone.</summary>
public sealed class PresenceOptions
{
    /// <summary>How long a user stays present after the last connection is gone, so that a reconnect is not seen as leaving
    /// and joining. Default: 10 s.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);
}
