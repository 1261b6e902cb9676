namespace Dunlin.Presence;

/// <summary>When a user is reported as gone, and for how many users changes are announced.</summary>
public sealed class PresenceOptions
{
    /// <summary>
    /// Time for which a user stays present after the last connection closes. A reconnect within it is not announced. Default: 10 s.
    /// </summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Largest number of present users on a topic with announcements of joining and leaving. Above it, clients must request the list. A
    /// mass reconnect of n readers would otherwise cost n × n deliveries. Default: 256.
    /// </summary>
    public int MaxAnnounced { get; set; } = 256;
}
