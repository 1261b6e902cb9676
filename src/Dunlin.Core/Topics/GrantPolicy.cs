namespace Dunlin.Topics;

/// <summary>Allows what the caller's <see cref="Grants"/> cover and denies everything else. Thread-safe.</summary>
/// <remarks>Always denies the topics of records, which are internal to the nodes.</remarks>
internal sealed class GrantPolicy : IAccessPolicy, IPatternAccessPolicy
{
    private const string Records = "records";

    /// <inheritdoc/>
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(caller.Grants.Subscribe.AnyCovers(topic.Value) && !topic.IsUnder(Records));

    /// <inheritdoc/>
    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(caller.Grants.Publish.AnyCovers(topic.Value) && !topic.IsUnder(Records));

    /// <inheritdoc/>
    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(caller.Grants.Hold.AnyCovers(resource.Value) || caller.Grants.Preempt.AnyCovers(resource.Value));

    /// <inheritdoc/>
    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(caller.Grants.Preempt.AnyCovers(resource.Value));

    /// <inheritdoc/>
    public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
        new(caller.Grants.Subscribe.AnyCoversAll(pattern) && !pattern.Meets(Records));
}
