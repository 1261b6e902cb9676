using System.ComponentModel.DataAnnotations;

namespace Dunlin.Redis.Leases;

/// <summary>Holds the options of leases in Redis.</summary>
public sealed class SoftLeaseOptions
{
    /// <summary>Gets or sets the StackExchange.Redis configuration: one or more <c>host:port</c>, then options, separated by commas.
    /// Required.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>Gets or sets the first part of all keys. Another site on the same Redis needs another prefix. Default:
    /// <c>dunlin</c>.</summary>
    /// <remarks>All keys are in one slot of a cluster, because they share one counter.</remarks>
    [Required(AllowEmptyStrings = false)]
    public string Prefix { get; set; } = "dunlin";

    /// <summary>Gets or sets how long a call waits for a response before it fails with <see cref="Diagnostics.ErrorCode.OutcomeUnknown"/>:
    /// 10 ms to 1 minute. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);
}
