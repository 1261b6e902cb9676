using Dunlin.Apps.Documents.Files;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>
/// Decides about the Yjs documents of shared drafts. Users who may read the file may read them, and users who may write it may edit them.
/// Nobody may read or edit an ended draft.
/// </summary>
internal sealed class SharedDraftAccess(IStore store) : IAccessPolicy
{
    public async ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        await FindAsync(caller, topic, cancellationToken) is not null;

    public async ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        await FindAsync(caller, topic, cancellationToken) is { } file && DocumentRights.Of(caller, file).Write;

    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(false);

    private async ValueTask<DocumentFile?> FindAsync(Caller caller, TopicName topic, CancellationToken cancellationToken)
    {
        if (DocumentNames.DraftOf(topic) is not var (collectionId, stableId, id))
            return null;
        try
        {
            return await store.ReadAsync(
                async (scope, _) =>
                {
                    var file = await DocumentRows.RequireAsync(scope.Connection, null, caller, stableId);
                    var draft = await SharedDraftRows.FindAsync(scope.Connection, null, stableId);
                    var isOpen = string.Equals(draft?.Id, id, StringComparison.Ordinal);
                    return isOpen && string.Equals(file.CollectionId, collectionId, StringComparison.Ordinal) ? file : null;
                },
                cancellationToken
            );
        }
        catch (DunlinException exception) when (exception.Code == ErrorCode.NotFound)
        {
            return null;
        }
    }
}
