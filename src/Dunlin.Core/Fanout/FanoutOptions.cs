using System.ComponentModel.DataAnnotations;

namespace Dunlin.Fanout;

/// <summary>Bounds of the way from the journal to the connections.</summary>
public sealed class FanoutOptions
{
    /// <summary>Bytes that may wait for one connection that is being written to. A connection that falls further behind is
    /// served from the journal again, at its own pace. Default: 64 KiB.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxPendingBytes { get; set; } = 64 * 1024;

    /// <summary>Events kept in memory for connections that resume or fall behind. Default: 8,192. Zero is not allowed: the
    /// hand-over from the journal to live needs the last ones.</summary>
    [Range(64, 1024 * 1024)]
    public int TailEvents { get; set; } = 8_192;

    /// <summary>Bytes of data of the events kept in memory. Default: 32 MiB.</summary>
    [Range(64 * 1024, int.MaxValue)]
    public int TailBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>Bytes of data of journal pages kept for connections that resume from further back than that. Default: 8 MiB.</summary>
    [Range(0, int.MaxValue)]
    public int CatchUpBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>A connection that accepts nothing for so long is cut; it resumes when it comes back. Default: 60 s.</summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How many loops share the connections; each connection belongs to one, which keeps its order. Default (0):
    /// one for each processor, at most eight.</summary>
    [Range(0, 64)]
    public int Shards { get; set; }
}
