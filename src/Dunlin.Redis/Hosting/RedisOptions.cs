using System.ComponentModel.DataAnnotations;

namespace Dunlin.Redis;

/// <summary>The backplane through Redis.</summary>
public sealed class RedisOptions
{
    /// <summary>The StackExchange.Redis configuration: <c>host:port</c>, several separated by commas, options after them. Whoever
    /// may publish there can put words into the mouth of every node: keep it private.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>
    /// The channel; nodes of one site share it, and another site on the same Redis needs another. Default: <c>dunlin</c>.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string Channel { get; set; } = "dunlin";

    /// <summary>Bytes of data that a hint carries with it at most; of a larger commit the others hear the position alone and read
    /// the journal. Default: 256 KiB. Zero never carries events.</summary>
    [Range(0, 16 * 1024 * 1024)]
    public int MaxHintBytes { get; set; } = 256 * 1024;

    /// <summary>Hints and transient events that may wait for Redis; beyond, they are dropped, which costs latency only.
    /// Default: 10,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 10_000;
}
