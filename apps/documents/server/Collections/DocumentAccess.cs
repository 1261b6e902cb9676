using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Collections;

/// <summary>A collection is open to its members and to administrators, whole. Locks are taken through this system's own calls,
/// which know the roles and the maintenance; over the engine's endpoint nobody may hold or take one.</summary>
internal sealed class DocumentAccess(IStore store) : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        DocumentNames.CollectionOf(topic) is { } id
            ? store.ReadAsync(async (scope, _) => await CollectionRows.MaySeeAsync(scope.Connection, null, caller, id), cancellationToken)
            : new(false);

    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(false);
}

/// <summary>A user's own topic, and no other's.</summary>
internal sealed class OwnTopicAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == DocumentNames.UserTopic(caller.UserId));
}

/// <summary>Notices to everybody are for everybody who is signed in.</summary>
internal sealed class NoticesAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == DocumentNames.NoticesTopic);
}
