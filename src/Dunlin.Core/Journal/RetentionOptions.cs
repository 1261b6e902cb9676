using System.ComponentModel.DataAnnotations;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// How long the journal keeps events. The rule with the longest matching topic prefix applies; otherwise <see cref="Default"/>.
/// </summary>
public sealed class RetentionOptions
{
    /// <summary>Gets or sets the rule for topics without a prefix rule. Default: a maximum age of seven days, no other limit.</summary>
    [Required]
    public RetentionRule Default { get; set; } = new() { MaxAge = TimeSpan.FromDays(7) };

    /// <summary>Gets the rules by topic prefix, for example <c>typing</c> or <c>branches/1</c>. Default: none.</summary>
    [Required]
    public IDictionary<string, RetentionRule> Prefixes { get; } = new Dictionary<string, RetentionRule>(StringComparer.Ordinal);

    /// <summary>Gets or sets the interval between trims. Default: one minute. Zero disables trimming.</summary>
    public TimeSpan TrimInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets how long idempotency keys are kept. Default: one day.</summary>
    public TimeSpan IdempotencyAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Gets or sets how long the end of a lease is kept, to report its cause to a late holder. Default: one day.</summary>
    public TimeSpan EndedLeaseAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Gets or sets how long deleted records and revoked access are kept. Default: 30 days.</summary>
    /// <remarks>A client that was offline for longer must load all data again.</remarks>
    public TimeSpan DeletedRecordAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Returns the rule for a topic.</summary>
    /// <param name="topic">The topic.</param>
    public RetentionRule For(TopicName topic)
    {
        var best = Default;
        var length = -1;
        foreach (var (prefix, rule) in Prefixes)
        {
            if (prefix.Length > length && NamePrefix.Covers(prefix, topic.Value))
                (best, length) = (rule, prefix.Length);
        }
        return best;
    }
}

/// <summary>The limits for each single topic. An event is removed as soon as one limit is exceeded. Null means no limit.</summary>
public sealed class RetentionRule
{
    /// <summary>Gets or sets the maximum age of an event. Null: no limit.</summary>
    public TimeSpan? MaxAge { get; set; }

    /// <summary>Gets or sets the maximum number of events of a topic. Null: no limit.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxCount { get; set; }

    /// <summary>Gets or sets the maximum sum of the data of a topic in bytes. Null: no limit.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxBytes { get; set; }
}
