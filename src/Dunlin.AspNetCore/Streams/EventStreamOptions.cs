using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary>Limits and timing of event streams.</summary>
public sealed class EventStreamOptions
{
    /// <summary>
    /// Largest number of open streams of one user on this node. A combined response counts as one. A further stream gets 429, and no
    /// stream is closed for it. Default: 50. Range: at least 1.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxPerUser { get; set; } = 50;

    /// <summary>
    /// Largest number of open streams from one remote address on this node. A further stream gets 429. Raise it if many users share an
    /// address. Default: 500. Range: at least 1.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxPerAddress { get; set; } = 500;

    /// <summary>Largest number of open streams on this node. A further stream gets 429. Default: 100,000. Range: at least 1.</summary>
    [Range(1, int.MaxValue)]
    public int MaxInAll { get; set; } = 100_000;

    /// <summary>
    /// Largest number of topics and patterns of one stream. A request with more gets 400 <c>too_many_topics</c>. Default: 64. Range: 1 to
    /// 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxTopics { get; set; } = 64;

    /// <summary>
    /// Largest number of streams in one combined response (<c>POST /dunlin/v1/streams</c>). A further stream gets 429. Default: 32.
    /// Range: 1 to 256.
    /// </summary>
    [Range(1, 256)]
    public int MaxCombined { get; set; } = 32;

    /// <summary>
    /// Time without data before the server sends a heartbeat. Shorter than the idle timeout of every proxy on the way. Default: 15 s.
    /// </summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Longest time for which a long poll (<c>wait=25</c>) waits for events. A larger <c>wait</c> counts as this one. Shorter than the time
    /// limit of every proxy on the way. Default: 30 s.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time in <c>Retry-After</c> when a limit of streams is reached. Default: 30 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Shortest reconnect delay (<c>retry:</c>) for native EventSource clients. Each stream gets a random delay up to twice as long.
    /// Default: 1 s.
    /// </summary>
    public TimeSpan Retry { get; set; } = TimeSpan.FromSeconds(1);
}

[OptionsValidator]
internal sealed partial class EventStreamOptionsValidator : IValidateOptions<EventStreamOptions>;
