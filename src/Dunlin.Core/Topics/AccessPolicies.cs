namespace Dunlin.Topics;

/// <summary>
/// Evaluates access policies: the policy with the longest prefix that covers a name decides. Denies access if there is none. Thread-safe.
/// </summary>
/// <remarks>
/// A user may always read the topics under <c>users/{own id}</c>. Topics under <c>dunlin</c> are internal to the nodes: no policy lets a
/// user read or publish them.
/// </remarks>
/// <param name="rules">The policies with their prefixes.</param>
internal sealed class AccessPolicies(IEnumerable<AccessRule> rules)
{
    /// <summary>The prefix of the engine's internal topics.</summary>
    internal const string OwnPrefix = "dunlin";

    private readonly IReadOnlyList<AccessRule> _rules = [.. rules.OrderByDescending(rule => rule.Prefix.Length)];

    /// <summary>Returns whether the caller may read a topic; see <see cref="IAccessPolicy.MayReadAsync"/>.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken = default) =>
        topic.IsUnder(TopicName.ForUser(caller.UserId).Value)
            ? new(true)
            : PolicyFor(topic.Value)?.MayReadAsync(caller, topic, cancellationToken) ?? new(false);

    /// <summary>
    /// Returns whether the caller may read every topic of a pattern; see <see cref="IPatternAccessPolicy.MayReadAllAsync"/>.
    /// </summary>
    /// <remarks>
    /// One policy must decide about the whole pattern: its prefix covers the pattern's prefix, and no longer prefix of another policy
    /// overlaps the pattern. Patterns that can match a topic under <c>dunlin</c> are denied.
    /// </remarks>
    /// <param name="caller">The caller.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken = default)
    {
        if (pattern.Meets(OwnPrefix))
            return new(false);
        if (NamePrefix.Covers(TopicName.ForUser(caller.UserId).Value, pattern.Prefix))
            return new(true);
        return PolicyForAll(pattern) is IPatternAccessPolicy policy
            ? policy.MayReadAllAsync(caller, pattern, cancellationToken)
            : new(false);
    }

    /// <summary>Returns whether the caller may publish to a topic; see <see cref="IAccessPolicy.MayPublishAsync"/>.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken = default) =>
        PolicyFor(topic.Value)?.MayPublishAsync(caller, topic, cancellationToken) ?? new(false);

    /// <summary>Returns whether the caller may hold the lease of a resource; see <see cref="IAccessPolicy.MayHoldAsync"/>.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken = default) =>
        PolicyFor(resource.Value)?.MayHoldAsync(caller, resource, cancellationToken) ?? new(false);

    /// <summary>Returns whether the caller may preempt the lease of a resource; see <see cref="IAccessPolicy.MayPreemptAsync"/>.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken = default) =>
        PolicyFor(resource.Value)?.MayPreemptAsync(caller, resource, cancellationToken) ?? new(false);

    // From the longest prefix to the shortest: a rule that overlaps the pattern before one covers it decides about a part of it.
    private IAccessPolicy? PolicyForAll(TopicPattern pattern)
    {
        IAccessPolicy? ofPart = null;
        foreach (var rule in _rules)
        {
            if (!pattern.Meets(rule.Prefix))
                continue;
            if (ofPart is not null && !ReferenceEquals(ofPart, rule.Policy))
                return null;
            if (NamePrefix.Covers(rule.Prefix, pattern.Prefix))
                return rule.Policy;
            ofPart = rule.Policy;
        }
        return null;
    }

    private IAccessPolicy? PolicyFor(string name)
    {
        if (NamePrefix.Covers(OwnPrefix, name))
            return null;
        foreach (var rule in _rules)
        {
            if (NamePrefix.Covers(rule.Prefix, name))
                return rule.Policy;
        }
        return null;
    }
}

/// <summary>An access policy and the prefix of the names that it decides about.</summary>
/// <param name="Prefix">The prefix of topics and resources, segment by segment.</param>
/// <param name="Policy">The policy.</param>
internal sealed record AccessRule(string Prefix, IAccessPolicy Policy);
