using System.ComponentModel.DataAnnotations;

namespace Dunlin.Redis;

/// <summary>Holds the options of the Redis backplane.</summary>
public sealed class RedisOptions
{
    /// <summary>Gets or sets the StackExchange.Redis configuration: one or more <c>host:port</c>, then options, separated by commas.
    /// Required.</summary>
    /// <remarks>Keep this Redis private: anybody who can publish there can send events to all nodes.</remarks>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>Gets or sets the channel. The nodes of one site share it; another site on the same Redis needs another channel. Default:
    /// <c>dunlin</c>.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Channel { get; set; } = "dunlin";

    /// <summary>Gets or sets the maximum size in bytes of the event data in a commit notification: 0 to 16 MiB. Default: 256 KiB. For a
    /// larger commit the notification contains only the position, and other nodes read the journal. Zero never includes events.</summary>
    [Range(0, 16 * 1024 * 1024)]
    public int MaxHintBytes { get; set; } = 256 * 1024;

    /// <summary>Gets or sets the maximum number of messages that wait for Redis: 1 to 1,000,000. Default: 10,000. Further messages are
    /// dropped: durable events then arrive later, and transient events are lost.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 10_000;
}
