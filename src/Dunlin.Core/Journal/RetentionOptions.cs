using System.ComponentModel.DataAnnotations;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Journal;

/// <summary>How long the journal and the store keep data. The rule with the longest matching prefix applies.</summary>
public sealed class RetentionOptions
{
    /// <summary>Rule for topics that no prefix matches. Default: <see cref="RetentionRule.MaxAge"/> of 7 days, no other limit.</summary>
    [Required, ValidateObjectMembers]
    public RetentionRule Default { get; set; } = new() { MaxAge = TimeSpan.FromDays(7) };

    /// <summary>Rules by topic prefix, for example <c>typing</c> or <c>branches/1</c>. Default: empty.</summary>
    [Required]
    public IDictionary<string, RetentionRule> Prefixes { get; } = new Dictionary<string, RetentionRule>(StringComparer.Ordinal);

    /// <summary>Time between two removals of expired data. Zero: expired data is never removed. Default: 1 minute.</summary>
    public TimeSpan TrimInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Time for which the store keeps idempotency keys. A repeated request after it is carried out again. Default: 1 day.
    /// </summary>
    public TimeSpan IdempotencyAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Time for which the store keeps the reason why a lease ended. A late holder then gets the reason instead of <c>unknown</c>.
    /// Default: 1 day.
    /// </summary>
    public TimeSpan EndedLeaseAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Time for which the store keeps deleted records and revoked access. A client that was away for longer must pull everything again.
    /// Default: 30 days.
    /// </summary>
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

/// <summary>Limits for each topic; the strictest one applies. Null: no limit.</summary>
public sealed class RetentionRule
{
    /// <summary>Age at which events are removed. Default: null.</summary>
    public TimeSpan? MaxAge { get; set; }

    /// <summary>Number of events that are kept. Default: null. Range: at least 0.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxCount { get; set; }

    /// <summary>Bytes of event data that are kept. Default: null. Range: at least 0.</summary>
    [Range(0, long.MaxValue)]
    public long? MaxBytes { get; set; }
}

[OptionsValidator]
internal sealed partial class RetentionOptionsValidator : IValidateOptions<RetentionOptions>;
