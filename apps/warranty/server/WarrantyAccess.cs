using Dunlin.Apps.Warranty.Cases;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Warranty;

/// <summary>Members of a branch and administrators may read all of it: cases, events and locks.</summary>
internal sealed class WarrantyAccess(IStore store) : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        MayAsync(caller, WarrantyNames.BranchOf(topic.Value), cancellationToken);

    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        MayAsync(caller, WarrantyNames.BranchOf(resource.Value), cancellationToken);

    /// <summary>Throws unless the caller may work in the branch.</summary>
    public static async Task RequireAsync(
        Caller caller,
        System.Data.Common.DbConnection connection,
        System.Data.Common.DbTransaction? transaction,
        long branchId
    )
    {
        if (!caller.IsAdministrator && !await CaseRows.IsMemberAsync(connection, transaction, branchId, caller.UserId))
            throw new DunlinException(ErrorCode.Forbidden, "You are not a member of this branch.");
    }

    private ValueTask<bool> MayAsync(Caller caller, long? branchId, CancellationToken cancellationToken) =>
        branchId is not { } id ? new(false)
        : caller.IsAdministrator ? new(true)
        : store.ReadAsync(async (scope, _) => await CaseRows.IsMemberAsync(scope.Connection, null, id, caller.UserId), cancellationToken);
}
