using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>Limits of publishing over HTTP.</summary>
public sealed class PublishOptions
{
    /// <summary>Largest data of one event, in bytes of JSON. Larger data gets 413. Default: 64 KiB. Range: 1 bytes to 1 MiB.</summary>
    [Range(1, Journal.JournalLimits.MaxDataBytes)]
    public int MaxDataBytes { get; set; } = 64 * 1024;

    /// <summary>Largest request body, in bytes. A larger body gets 413. Default: 1 MiB. Range: 1 bytes to 64 MiB.</summary>
    [Range(1, 64 * 1024 * 1024)]
    public int MaxRequestBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// Events that one user may publish per second, on average, on this node. More gets 429. Zero: no limit. Administrators, and tokens
    /// that may publish to <c>**</c>, have no limit. Default: 200. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int PerSecond { get; set; } = 200;

    /// <summary>
    /// Events that one user may publish at once after a pause. More gets 429. The default equals the events that one request can have.
    /// Default: 1,000. Range: 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 1_000;

    /// <summary>
    /// New topics that one user may publish to per hour, without transient events. The store keeps each topic for ever. More gets 429.
    /// Zero: no limit. Default: 1,000. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int TopicsPerHour { get; set; } = 1_000;

    /// <summary>
    /// Requests with an idempotency key that one user may send per hour. The store keeps each key for
    /// <see cref="Journal.RetentionOptions.IdempotencyAge"/>. More gets 429. Zero: no limit. Default: 10,000. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int KeysPerHour { get; set; } = 10_000;
}

[OptionsValidator]
internal sealed partial class PublishOptionsValidator : IValidateOptions<PublishOptions>;
