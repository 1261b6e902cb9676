using Dunlin.Leases;

namespace Dunlin.Topics;

/// <summary>
/// Lets the credential decide: what its <see cref="Grants"/> cover is allowed, and nothing else. Whatever they say, nobody
/// reads or publishes to the topics of records, by which nodes learn what has changed.
/// </summary>
public sealed class GrantPolicy : IAccessPolicy
{
    private const string Records = "records";

    /// <inheritdoc/>
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(Grants.Covers(caller.Grants.Subscribe, topic.Value) && !topic.IsUnder(Records));

    /// <inheritdoc/>
    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(Grants.Covers(caller.Grants.Publish, topic.Value) && !topic.IsUnder(Records));

    /// <inheritdoc/>
    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(Grants.Covers(caller.Grants.Hold, resource.Value) || Grants.Covers(caller.Grants.Take, resource.Value));

    /// <inheritdoc/>
    public ValueTask<bool> MayTakeAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(Grants.Covers(caller.Grants.Take, resource.Value));
}
