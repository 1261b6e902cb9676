using System.ComponentModel.DataAnnotations;

namespace Dunlin.Streams;

/// <summary>Holds the limits and intervals of event streams.</summary>
public sealed class EventStreamOptions
{
    /// <summary>Gets or sets how many streams one user may have open on one node: at least 1. Default: 50.</summary>
    /// <remarks>A combined response counts as one stream. The server refuses a stream above the limit with 429 and closes none.</remarks>
    [Range(1, int.MaxValue)]
    public int MaxPerUser { get; set; } = 50;

    /// <summary>Gets or sets how many streams one remote address may have open on one node: at least 1. Default: 500, because all users of
    /// an office may share one address.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPerAddress { get; set; } = 500;

    /// <summary>Gets or sets how many streams one node may have open: at least 1. Default: 100,000.</summary>
    [Range(1, int.MaxValue)]
    public int MaxInAll { get; set; } = 100_000;

    /// <summary>Gets or sets how many topics and patterns one stream may have: 1 to 1,000. Default: 64.</summary>
    [Range(1, 1_000)]
    public int MaxTopics { get; set; } = 64;

    /// <summary>Gets or sets how many streams one combined response (<c>POST /dunlin/v1/streams</c>) may have: 1 to 256. Default:
    /// 32.</summary>
    [Range(1, 256)]
    public int MaxCombined { get; set; } = 32;

    /// <summary>Gets or sets how long a connection may be idle before the server sends a heartbeat. Default: 15 seconds.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets the value of <c>Retry-After</c> when a limit is reached. Default: 30 seconds.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the minimum <c>retry:</c> for native EventSource clients. Default: 1 second.</summary>
    /// <remarks>Each stream gets a random value between this and twice this, so that clients do not reconnect all at once (HTML Living
    /// Standard, section 9.2.6).</remarks>
    public TimeSpan Retry { get; set; } = TimeSpan.FromSeconds(1);
}
