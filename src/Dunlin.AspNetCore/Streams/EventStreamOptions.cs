using System.ComponentModel.DataAnnotations;

namespace Dunlin.Streams;

/// <summary>Bounds and timing of event streams.</summary>
public sealed class EventStreamOptions
{
    /// <summary>
    /// Open streams of one user on this node; a combined response counts as one. One more is refused with 429; nobody is evicted. Default:
    /// 50.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxPerUser { get; set; } = 50;

    /// <summary>Open streams of one remote address on this node. Default: 500, because an office shares one.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPerAddress { get; set; } = 500;

    /// <summary>Open streams of this node. Default: 100,000.</summary>
    [Range(1, int.MaxValue)]
    public int MaxInAll { get; set; } = 100_000;

    /// <summary>Topics and patterns of one stream. Default: 64.</summary>
    [Range(1, 1_000)]
    public int MaxTopics { get; set; } = 64;

    /// <summary>Streams of one combined response (<c>POST /dunlin/v1/streams</c>). Default: 32.</summary>
    [Range(1, 256)]
    public int MaxCombined { get; set; } = 32;

    /// <summary>How long a line may be idle before a heartbeat is sent. Default: 15 s.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What <c>Retry-After</c> says when a limit is reached. Default: 30 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The shortest <c>retry:</c> told to native EventSource clients; each stream gets up to twice as much. Default: 1 s.
    /// </summary>
    public TimeSpan Retry { get; set; } = TimeSpan.FromSeconds(1);
}
