namespace Dunlin.Presence;

/// <summary>The options of presence.</summary>
public sealed class PresenceOptions
{
    /// <summary>
    /// Gets or sets how long a user stays present after the last connection has closed. Default: 10 seconds. A reconnect in this time is
    /// not announced.
    /// </summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the maximum number of users on a topic for which joins and leaves are announced. Default: 256.</summary>
    /// <remarks>Otherwise, n users that reconnect together would cost n² deliveries. On larger topics, clients query the list.</remarks>
    public int MaxAnnounced { get; set; } = 256;
}
