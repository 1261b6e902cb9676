using Dunlin.Apps.Warranty.Cases;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Apps.Warranty.Locks;

/// <summary>
/// Announces changes of field locks to the branch, under the names of the contract. Only fields of existing cases, in the case's branch,
/// can be locked.
/// </summary>
internal sealed class WarrantyLocks : ILeaseAnnouncer, ILeaseResources
{
    public async ValueTask<bool> ExistsAsync(ResourceName resource, IUnitOfWork unit, CancellationToken cancellationToken) =>
        WarrantyNames.Parts(resource) is var (branchId, caseId, _)
        && await CaseRows.BranchOfAsync(unit.Connection, unit.Transaction, caseId) == branchId;

    public async ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
    {
        if (WarrantyNames.Parts(change.Resource) is not var (branchId, caseId, field))
            return;
        var topic = WarrantyNames.Topic(branchId);
        var draft = change.Kind switch
        {
            LeaseChangeKind.Granted => EventDraft.Of(
                topic,
                "lock-acquired",
                LockView.Of(caseId, field, change.Owner, change.ExpiresAt),
                change.Origin
            ),
            LeaseChangeKind.Released => EventDraft.Of(
                topic,
                "lock-released",
                new
                {
                    caseId,
                    field,
                    userId = change.Owner.UserId,
                    reason = change.EndReason,
                },
                change.Origin
            ),
            _ => null,
        };
        if (draft is not null)
            await unit.AppendAsync(draft, cancellationToken);
    }
}

/// <summary>A lock as all users of the branch see it.</summary>
internal sealed record LockView(long CaseId, string Field, string UserId, string UserName, string? ConnectionId, DateTimeOffset ExpiresAt)
{
    public static LockView Of(long caseId, string field, LeaseOwner owner, DateTimeOffset expiresAt) =>
        new(caseId, field, owner.UserId, owner.Name, owner.ConnectionId, expiresAt);

    /// <summary>Returns the lock of a lease; null if the lease is not the lock of a field.</summary>
    public static LockView? Of(LeaseInfo lease) =>
        WarrantyNames.Parts(lease.Resource) is var (_, caseId, field) ? Of(caseId, field, lease.Owner!, lease.ExpiresAt) : null;
}
