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

    /// <summary>Events per second that one user may publish, on average. Default: 200. Zero: no limit. Administrators, and tokens that may
    /// publish to <c>**</c>, have none.</summary>
    [Range(0, 1_000_000)]
    public int PerSecond { get; set; } = 200;

    /// <summary>Events that one user may publish at once above the average. Default: 1,000, the most that one request has.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 1_000;

    /// <summary>Topics that one user may publish to within an hour, transient events aside: each is kept for ever. Default: 1,000. Zero: no
    /// limit.</summary>
    [Range(0, 1_000_000)]
    public int TopicsPerHour { get; set; } = 1_000;

    /// <summary>Requests with an idempotency key that one user may make within an hour: each key is kept for
    /// <see cref="Journal.RetentionOptions.IdempotencyAge"/>. Default: 10,000. Zero: no limit.</summary>
    [Range(0, 1_000_000)]
    public int KeysPerHour { get; set; } = 10_000;
}
