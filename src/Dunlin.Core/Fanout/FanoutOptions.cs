using System.ComponentModel.DataAnnotations;

namespace Dunlin.Fanout;

/// <summary>The limits of event delivery.</summary>
public sealed class FanoutOptions
{
    /// <summary>Gets or sets the maximum number of bytes queued for one connection. Default: 64 KiB. Range: 1 KiB to 16 MiB.</summary>
    /// <remarks>A connection that exceeds it is served from the journal again, at its own speed.</remarks>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxPendingBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Gets or sets the maximum number of events in memory for connections that resume or fall behind. Default: 8,192. Range: 64 to
    /// 1,048,576.
    /// </summary>
    /// <remarks>The hand-over from the journal to live delivery needs the most recent events, so zero is not allowed.</remarks>
    [Range(64, 1024 * 1024)]
    public int TailEvents { get; set; } = 8_192;

    /// <summary>Gets or sets the maximum data size in bytes of the events in memory. Default: 32 MiB. Minimum: 64 KiB.</summary>
    [Range(64 * 1024, int.MaxValue)]
    public int TailBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum data size in bytes of cached journal pages, for connections that resume from before the events in memory.
    /// Default: 8 MiB.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int CatchUpBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the time after which a connection that accepts no data is aborted. Default: 60 seconds. The client can resume.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets or sets the number of delivery loops. Each connection belongs to one loop, which keeps its order. Default (0): one per
    /// processor, at most 8. Maximum: 64.
    /// </summary>
    [Range(0, 64)]
    public int Shards { get; set; }
}
