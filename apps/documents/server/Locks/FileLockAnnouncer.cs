using Dunlin.Apps.Documents.Files;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Locks;

/// <summary>
/// Announces changes of file locks to the collection. After <c>lockReleased</c> waiting readers race for the lock; after
/// <c>fileDataChanged</c> pages read their lists again.
/// </summary>
internal sealed class FileLockAnnouncer : ILeaseAnnouncer, ILeaseResources
{
    public async ValueTask<bool> ExistsAsync(ResourceName resource, IUnitOfWork unit, CancellationToken cancellationToken) =>
        DocumentNames.Parts(resource) is var (collectionId, stableId)
        && string.Equals(await DocumentRows.CollectionOfAsync(unit, stableId), collectionId, StringComparison.Ordinal);

    public async ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
    {
        if (DocumentNames.Parts(change.Resource) is not var (collectionId, stableId))
            return;
        switch (change.Kind)
        {
            case LeaseChangeKind.Granted:
                // A session that receives the lock from the queue did not send this request, so it must receive the event too.
                var asked =
                    change.Origin is { } origin
                    && origin.SessionId is not null
                    && string.Equals(origin.SessionId, change.Owner.SessionId, StringComparison.Ordinal);
                await unit.AppendAsync(
                    DocumentEvents.Changed(collectionId, "lock_acquired", stableId, asked ? change.Origin : null, change.Owner.Name),
                    cancellationToken
                );
                break;
            case LeaseChangeKind.Released:
                await unit.AppendAsync(DocumentEvents.Released(collectionId, stableId, change.Origin), cancellationToken);
                await unit.AppendAsync(
                    DocumentEvents.Changed(collectionId, Reason(change.End), stableId, change.Origin),
                    cancellationToken
                );
                break;
            case LeaseChangeKind.Queued:
                await unit.AppendAsync(DocumentEvents.Changed(collectionId, "lock_requested", stableId, change.Origin), cancellationToken);
                break;
            default:
                break;
        }
    }

    private static string Reason(LeaseEnd end) =>
        end switch
        {
            LeaseEnd.Expired => "lock_expired",
            LeaseEnd.Preempted => "lock_taken",
            LeaseEnd.HandedOff => "lock_handed_off",
            _ => "lock_released",
        };
}
