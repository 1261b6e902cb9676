namespace Dunlin.Topics;

/// <summary>Decides about access to the topics and resources below one prefix. Implemented by the application.</summary>
/// <remarks>
/// The engine evaluates it for each subscription, publish and lease request, and again for open streams when <see cref="AccessChanges"/>
/// announces changed rights. Everything not allowed is denied. Must be fast: a slow policy delays the opening of streams. Each check gets
/// its own policy in its own service scope. If the policy is registered as a singleton, or its constructor has no parameters, one instance
/// serves all checks and must be thread-safe.
/// </remarks>
public interface IAccessPolicy
{
    /// <summary>Returns whether the caller may read events and presence of a topic. Default: false.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(false);

    /// <summary>Returns whether the caller may publish to a topic through the engine's publish endpoint. Default: false.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(false);

    /// <summary>Returns whether the caller may hold and see the lease of a resource. Default: false.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(false);

    /// <summary>Returns whether the caller may preempt the lease of a resource. Default: administrators only.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(caller.IsAdministrator);
}
