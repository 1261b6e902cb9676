using System.ComponentModel.DataAnnotations;

namespace Dunlin.Publishing;

/// <summary>Holds the limits of publishing over HTTP.</summary>
public sealed class PublishOptions
{
    /// <summary>Gets or sets the maximum size of an event's data in bytes: 1 to <see cref="Journal.JournalLimits.MaxDataBytes"/>. Default:
    /// 64 KiB.</summary>
    [Range(1, Journal.JournalLimits.MaxDataBytes)]
    public int MaxDataBytes { get; set; } = 64 * 1024;

    /// <summary>Gets or sets the maximum size of a request in bytes: 1 to 64 MiB. Default: 1 MiB.</summary>
    [Range(1, 64 * 1024 * 1024)]
    public int MaxRequestBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets how many events per second one user may publish on average: 0 to 1,000,000. Default: 200. Zero means no
    /// limit.</summary>
    /// <remarks>Administrators, and tokens that may publish to <c>**</c>, have no limit.</remarks>
    [Range(0, 1_000_000)]
    public int PerSecond { get; set; } = 200;

    /// <summary>Gets or sets how many events one user may publish at once above the average: 1 to 1,000,000. Default: 1,000, the maximum
    /// number of events in a request.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 1_000;

    /// <summary>Gets or sets to how many topics one user may publish durable events within an hour: 0 to 1,000,000. Default: 1,000. Zero
    /// means no limit. The limit exists because the store keeps each topic name for ever.</summary>
    [Range(0, 1_000_000)]
    public int TopicsPerHour { get; set; } = 1_000;

    /// <summary>Gets or sets how many requests with an idempotency key one user may make within an hour: 0 to 1,000,000. Default: 10,000.
    /// Zero means no limit. The store keeps each key for <see cref="Journal.RetentionOptions.IdempotencyAge"/>.</summary>
    [Range(0, 1_000_000)]
    public int KeysPerHour { get; set; } = 10_000;
}
