using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Redis;

/// <summary>Holds the options of the Redis backplane.</summary>
public sealed class RedisOptions
{
    /// <summary>
    /// The StackExchange.Redis configuration: <c>host:port</c>, several separated by commas, then options. A client that can publish
    /// there can forge events on every node: keep Redis private. Required.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>
    /// The Redis channel. All nodes of a site share it; another site on the same Redis needs another one. Default: <c>dunlin</c>.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string Channel { get; set; } = "dunlin";

    /// <summary>
    /// Largest event data of a commit that its notification carries, in bytes. For a larger commit, the other nodes read the journal.
    /// Zero: notifications carry no events. Default: 256 KiB. Range: 0 to 16 MiB.
    /// </summary>
    [Range(0, 16 * 1024 * 1024)]
    public int MaxHintBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Largest number of notifications and transient events that wait for Redis. Further ones are dropped; committed events then arrive
    /// later, from the journal. Default: 10,000. Range: 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 10_000;
}

[OptionsValidator]
internal sealed partial class RedisOptionsValidator : IValidateOptions<RedisOptions>;
