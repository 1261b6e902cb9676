using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.Apps.Warranty;

/// <summary>Tells a branch of its field locks under the names of the contract, whatever ended them.</summary>
internal sealed class WarrantyLocks : ILeaseAnnouncer
{
    public async ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
    {
        var (branchId, caseId, field) = WarrantyNames.Parts(change.Resource);
        var topic = WarrantyNames.Topic(branchId);
        var draft = change.Kind switch
        {
            LeaseChangeKind.Granted => EventDraft.Of(topic, "lock-acquired", LockView.Of(caseId, field, change.Owner, change.ExpiresAt), change.Origin),
            LeaseChangeKind.Released => EventDraft.Of(
                topic, "lock-released", new { caseId, field, userId = change.Owner.UserId, reason = LeaseErrors.ReasonText(change.End) }, change.Origin),
            _ => null,
        };
        if (draft is not null)
            await unit.AppendAsync(draft, cancellationToken);
    }
}

/// <summary>A lock as everybody in the branch may see it.</summary>
internal sealed record LockView(long CaseId, string Field, string UserId, string UserName, string? ConnectionId, DateTimeOffset ExpiresAt)
{
    public static LockView Of(long caseId, string field, LeaseOwner owner, DateTimeOffset expiresAt) =>
        new(caseId, field, owner.UserId, owner.Name, owner.ConnectionId, expiresAt);

    public static LockView Of(LeaseRow row)
    {
        var (_, caseId, field) = WarrantyNames.Parts(row.Resource);
        return Of(caseId, field, row.Owner!, row.ExpiresAt);
    }
}
