using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Redis.Leases;

/// <summary>Holds the options of leases in Redis.</summary>
public sealed class SoftLeaseOptions
{
    /// <summary>The StackExchange.Redis configuration: <c>host:port</c>, several separated by commas, then options. Required.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>
    /// Prefix of all keys. Another site on the same Redis needs another one. All keys are in one slot of a Redis cluster, because they
    /// share one counter. Default: <c>dunlin</c>.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string Prefix { get; set; } = "dunlin";

    /// <summary>
    /// Time to wait for an answer of Redis. After it the call fails and can be retried. Default: 2 s. Range: 10 ms to 1 minute.
    /// </summary>
    [TimeSpanRange("00:00:00.010", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class SoftLeaseOptionsValidator : IValidateOptions<SoftLeaseOptions>;
