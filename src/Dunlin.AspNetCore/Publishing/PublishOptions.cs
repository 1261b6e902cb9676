using System.ComponentModel.DataAnnotations;

namespace Dunlin.Publishing;

/// <summary>Bounds of publishing over HTTP.</summary>
public sealed class PublishOptions
{
    /// <summary>Bytes of data of one event. Default: 64 KiB.</summary>
    [Range(1, Journal.JournalLimits.MaxDataBytes)]
    public int MaxDataBytes { get; set; } = 64 * 1024;

    /// <summary>Bytes of one request. Default: 1 MiB.</summary>
    [Range(1, 64 * 1024 * 1024)]
    public int MaxRequestBytes { get; set; } = 1024 * 1024;

    /// <summary>Events per second that one user may publish, on average. Default: 0, no limit.</summary>
    [Range(0, 1_000_000)]
    public int PerSecond { get; set; }

    /// <summary>Events that one user may publish at once above the average. Default: 100.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 100;
}
