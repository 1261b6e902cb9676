using System.ComponentModel.DataAnnotations;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// How long the journal keeps events. The longest matching prefix decides; a topic without a rule is kept by <see cref="Default"/>.
/// </summary>
public sealed class RetentionOptions
{
    /// <summary>For topics that no rule covers. Default: seven days, no other bound.</summary>
    [Required]
    public RetentionRule Default { get; set; } = new() { MaxAge = TimeSpan.FromDays(7) };

    /// <summary>Rules by topic prefix, for example <c>typing</c> or <c>branches/1</c>.</summary>
    [Required]
    public IDictionary<string, RetentionRule> Prefixes { get; } = new Dictionary<string, RetentionRule>(StringComparer.Ordinal);

    /// <summary>How often what is too old is removed. Default: one minute. Zero turns trimming off.</summary>
    public TimeSpan TrimInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long idempotency keys are remembered. Default: one day.</summary>
    public TimeSpan IdempotencyAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long it is remembered how a lease ended, to tell a late holder. Default: one day.</summary>
    public TimeSpan EndedLeaseAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long deleted records, and access that was taken, are remembered. A client that has been away for longer
    /// starts anew. Default: 30 days.</summary>
    public TimeSpan DeletedRecordAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The rule for a topic.</summary>
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

/// <summary>Bounds for each single topic; the strictest one decides. Null means no bound.</summary>
public sealed class RetentionRule
{
    /// <summary>Events older than this are removed.</summary>
    public TimeSpan? MaxAge { get; set; }

    /// <summary>At most so many events are kept.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxCount { get; set; }

    /// <summary>At most so many bytes of data are kept.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxBytes { get; set; }
}
