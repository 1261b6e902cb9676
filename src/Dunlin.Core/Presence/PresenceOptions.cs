namespace Dunlin.Presence;

/// <summary>When somebody counts as gone.</summary>
public sealed class PresenceOptions
{
    /// <summary>How long a user stays present after the last connection is gone, so that a reconnect is not seen as leaving
    /// and joining. Default: 10 s.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Joining and leaving are announced while at most so many are present on a topic; above it, ask for the list.
    /// Otherwise n readers that come back together would cost n times n deliveries. Default: 256.</summary>
    public int MaxAnnounced { get; set; } = 256;
}
