namespace Dunlin.Topics;

/// <summary>
/// Says who may do what below one prefix of topics and resources; the application supplies it. Anything not allowed is
/// refused. Asked at subscribing, at publishing and at every lease request, and again for open streams when
/// <see cref="AccessChanges"/> says that rights have changed. Must be quick: a slow answer delays opening a stream. Each question
/// has an object and a scope of its own; one object, which must then be safe for concurrent use, answers all where the policy is
/// registered as a singleton or its constructor takes nothing.
/// </summary>
public interface IAccessPolicy
{
    /// <summary>May the caller read events and presence of this topic?</summary>
    ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(false);

    /// <summary>May the caller publish to this topic over the engine's own endpoint?</summary>
    ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(false);

    /// <summary>May the caller hold, and see, the lease of this resource?</summary>
    ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(false);

    /// <summary>May the caller preempt this lease: take it from its holder?</summary>
    ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(caller.IsAdministrator);
}
