using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Consumers;

/// <summary>Where a new group starts. It has no effect on a group that has a cursor.</summary>
public enum ConsumerStart
{
    /// <summary>After the last event that is committed when the group is created.</summary>
    Head,

    /// <summary>At the oldest event that the journal still holds.</summary>
    Oldest,
}

/// <summary>How a group reads the journal. Set where the consumer is added.</summary>
public sealed class EventConsumerOptions
{
    /// <summary>
    /// Patterns of the topics, such as <c>orders/**</c>. A name without wildcards is a pattern for one topic. You may change them later:
    /// events before the cursor are not delivered for new patterns. Required.
    /// </summary>
    public IList<string> Patterns { get; } = [];

    /// <summary>Where a new group starts. Default: <see cref="ConsumerStart.Head"/>.</summary>
    public ConsumerStart Start { get; set; }

    /// <summary>Largest number of events of a batch. Default: 100. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int BatchSize { get; set; } = 100;

    /// <summary>
    /// Duration of the claim of a node on the group; the node renews it at a third of it. After a node is killed, the group waits for at
    /// most this time. Default: 30 s. Range: 1 s to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan ClaimDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Delay after the first failure; it doubles with each further failure. 50 to 100 % of it is used at random. Default: 1 s. Range: 1 ms
    /// to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:00.001", "1.00:00:00")]
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest delay between two attempts. Default: 5 minutes. Range: 1 ms to 1 day.</summary>
    [TimeSpanRange("00:00:00.001", "1.00:00:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Time between two looks at the store for events and claims of other nodes, where no notification arrives. Default: 5 s. Range: 10 ms
    /// to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:00.010", "01:00:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <exception cref="ArgumentException">There is no pattern, or one is not valid.</exception>
    internal IReadOnlyList<TopicPattern> ParsePatterns(string group)
    {
        if (Patterns.Count == 0)
            throw new ArgumentException($"EventConsumerOptions.Patterns of group '{group}' is empty. Add at least one pattern.");
        try
        {
            return [.. Patterns.Select(TopicPattern.Parse)];
        }
        catch (FormatException error)
        {
            throw new ArgumentException($"EventConsumerOptions.Patterns of group '{group}': {error.Message}", error);
        }
    }
}

[OptionsValidator]
internal sealed partial class EventConsumerOptionsValidator : IValidateOptions<EventConsumerOptions>;
