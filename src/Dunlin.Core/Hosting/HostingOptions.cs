namespace Dunlin.Hosting;

/// <summary>The options for the start and stop of a node.</summary>
public sealed class HostingOptions
{
    /// <summary>
    /// Gets or sets the time over which open streams are closed when the host stops. Default: 2 seconds. Each client receives its own
    /// reconnection delay.
    /// </summary>
    public TimeSpan DrainWindow { get; set; } = TimeSpan.FromSeconds(2);
}
