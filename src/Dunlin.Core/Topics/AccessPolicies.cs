namespace Dunlin.Topics;

/// <summary>Asks the policy with the longest prefix that covers a name; refuses where there is none. A user may always read
/// the topics under <c>users/{own id}</c>. Nobody may read or publish what nodes tell each other, under <c>dunlin</c>, whatever
/// the policies say.</summary>
public sealed class AccessPolicies(IEnumerable<AccessRule> rules)
{
    /// <summary>The prefix of the topics on which the engine speaks to itself.</summary>
    internal const string OwnPrefix = "dunlin";

    private readonly IReadOnlyList<AccessRule> _rules = [.. rules.OrderByDescending(rule => rule.Prefix.Length)];

    /// <summary>See <see cref="IAccessPolicy.MayReadAsync"/>.</summary>
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken = default) =>
        topic.IsUnder(TopicName.ForUser(caller.UserId).Value)
            ? new(true)
            : PolicyFor(topic.Value)?.MayReadAsync(caller, topic, cancellationToken) ?? new(false);

    /// <summary>
    /// See <see cref="IPatternAccessPolicy.MayReadAllAsync"/>. One policy must be able to speak for all that the pattern covers: its prefix
    /// covers the pattern's, and no longer prefix of another policy meets the pattern. What could reach below <c>dunlin</c> is refused.
    /// </summary>
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

    /// <summary>See <see cref="IAccessPolicy.MayPublishAsync"/>.</summary>
    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken = default) =>
        PolicyFor(topic.Value)?.MayPublishAsync(caller, topic, cancellationToken) ?? new(false);

    /// <summary>See <see cref="IAccessPolicy.MayHoldAsync"/>.</summary>
    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken = default) =>
        PolicyFor(resource.Value)?.MayHoldAsync(caller, resource, cancellationToken) ?? new(false);

    /// <summary>See <see cref="IAccessPolicy.MayPreemptAsync"/>.</summary>
    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken = default) =>
        PolicyFor(resource.Value)?.MayPreemptAsync(caller, resource, cancellationToken) ?? new(false);

    // From the longest prefix to the shortest, as for a name: what meets the pattern before one covers it decides about a part of it.
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

/// <summary>A policy and the prefix of the names that it decides about.</summary>
public sealed record AccessRule(string Prefix, IAccessPolicy Policy);
