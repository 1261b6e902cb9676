namespace Dunlin.Hosting;

/// <summary>How a node starts and stops.</summary>
public sealed class HostingOptions
{
    /// <summary>Over how long the open streams are closed when the host stops. Each is told when to come back. Default: 2 s.</summary>
    public TimeSpan DrainWindow { get; set; } = TimeSpan.FromSeconds(2);
}
