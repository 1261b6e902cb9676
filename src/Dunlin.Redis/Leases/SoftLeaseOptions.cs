using System.ComponentModel.DataAnnotations;

namespace Dunlin.Redis.Leases;

/// <summary>Leases in Redis.</summary>
public sealed class SoftLeaseOptions
{
    /// <summary>The StackExchange.Redis configuration: <c>host:port</c>, several separated by commas, options after them.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>The first part of all keys; another site on the same Redis needs another. All keys are of one slot of a cluster, because
    /// they count by one number. Default: <c>dunlin</c>.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Prefix { get; set; } = "dunlin";

    /// <summary>How long to wait for an answer before a call fails as retryable. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);
}
