using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Collections;

/// <summary>
/// Members of a collection and administrators may read all of it. Locks are acquired only through this system's endpoints, which check
/// roles and maintenance. Nobody may hold or preempt one over the engine's endpoint.
/// </summary>
internal sealed class DocumentAccess(IStore store) : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        DocumentNames.CollectionOf(topic) is { } id
            ? store.ReadAsync(async (scope, _) => await CollectionRows.MaySeeAsync(scope.Connection, null, caller, id), cancellationToken)
            : new(false);

    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(false);
}

/// <summary>A user may read the topic with the own user id only.</summary>
internal sealed class OwnTopicAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == DocumentNames.UserTopic(caller.UserId));
}

/// <summary>Every signed-in user may read notices to all.</summary>
internal sealed class NoticesAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == DocumentNames.NoticesTopic);
}
