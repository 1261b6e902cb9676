namespace Dunlin.Hosting;

/// <summary>How a node stops.</summary>
public sealed class HostingOptions
{
    /// <summary>Time over which a stopping host closes its streams. Each client gets its own reconnect delay. Default: 2 s.</summary>
    public TimeSpan DrainWindow { get; set; } = TimeSpan.FromSeconds(2);
}
