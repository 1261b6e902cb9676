using System.Globalization;
using System.Text.Json;
using Dunlin.Apps.Warranty.Search;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Problems;
using Dunlin.Topics;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>The operations on cases. Each change is one unit of work with permission check, lock check, rows, history and event.</summary>
internal sealed class CaseService(IStore store)
{
    // Above this size the event only names the case, and clients fetch it. Keeps events small.
    private const int MaxUpdateBytes = 16 * 1024;

    public ValueTask<IReadOnlyList<Branch>> BranchesAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) => await CaseRows.BranchesAsync(scope.Connection, caller.UserId, caller.IsAdministrator),
            cancellationToken
        );

    public ValueTask<CasePage> ListAsync(Caller caller, long branchId, CaseQuery query, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                _ = await CaseRows.BranchAsync(scope.Connection, null, branchId) ?? throw NoBranch(branchId, "branchId");
                await WarrantyAccess.RequireAsync(caller, scope.Connection, null, branchId);
                var (items, total) = await CaseRows.PageAsync(scope.Connection, branchId, query);
                return new CasePage(items, query.Page, query.Limit, total, scope.Position.ToString());
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<string>> StaffAsync(Caller caller, long branchId, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                _ = await CaseRows.BranchAsync(scope.Connection, null, branchId) ?? throw NoBranch(branchId, "branchId");
                await WarrantyAccess.RequireAsync(caller, scope.Connection, null, branchId);
                return await CaseRows.StaffAsync(scope.Connection, branchId);
            },
            cancellationToken
        );

    public ValueTask<Case> FindAsync(Caller caller, long caseId, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) =>
            {
                var found = await CaseRows.RequireAsync(scope.Connection, null, caseId);
                await WarrantyAccess.RequireAsync(caller, scope.Connection, null, found.BranchId);
                return found;
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<HistoryEntry>> HistoryAsync(Caller caller, long caseId, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) =>
            {
                var found = await CaseRows.RequireAsync(scope.Connection, null, caseId);
                await WarrantyAccess.RequireAsync(caller, scope.Connection, null, found.BranchId);
                return await CaseRows.HistoryAsync(scope.Connection, caseId);
            },
            cancellationToken
        );

    public ValueTask<Case> CreateAsync(
        Caller caller,
        long branchId,
        IReadOnlyDictionary<string, JsonElement> values,
        CancellationToken cancellationToken
    )
    {
        var fields = Read(values);
        return store.WriteAsync(
            async (unit, ct) =>
            {
                var branch =
                    await CaseRows.BranchAsync(unit.Connection, unit.Transaction, branchId) ?? throw NoBranch(branchId, "branchId");
                await WarrantyAccess.RequireAsync(caller, unit.Connection, unit.Transaction, branchId);
                await CaseRows.RequireRoomAsync(unit, branchId);
                return await InsertAsync(unit, branch, fields, caller.AsOrigin(), ct);
            },
            cancellationToken
        );
    }

    /// <summary>
    /// Writes fields of a case. A field that another user holds is refused. A field with a lease in the request is written only if that
    /// lease still holds. Of completed edits the last one wins, and the history keeps the previous value.
    /// </summary>
    /// <remarks>
    /// With <paramref name="release"/> the same unit of work releases the leases of the request. A page that unloads cannot wait for the
    /// save before it releases, and a separate release could overtake the save.
    /// </remarks>
    public ValueTask<UpdateAnswer> UpdateAsync(
        Caller caller,
        long caseId,
        IReadOnlyDictionary<string, JsonElement> values,
        IfMatch? expected,
        IReadOnlyDictionary<string, LeaseProof> proofs,
        bool release,
        CancellationToken cancellationToken
    )
    {
        var fields = Read(values);
        foreach (var name in proofs.Keys)
            CaseField.Find(name);
        return store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await CaseRows.RequireAsync(unit, caseId);
                await WarrantyAccess.RequireAsync(caller, unit.Connection, unit.Transaction, before.BranchId);
                if (expected?.Allows(before.Version) == false)
                    throw Changed(before);
                foreach (var (field, _) in fields)
                    await GuardAsync(unit, caller, before, field, proofs, ct);
                var answer = await WriteAsync(unit, caller, before, fields, ct);
                if (release)
                    foreach (var (name, proof) in proofs)
                        await unit.Leases.ReleaseAsync(ClaimOf(caller, before, name, proof), caller.AsOrigin(), ct);
                return answer;
            },
            cancellationToken
        );
    }

    public ValueTask DeleteAsync(Caller caller, long caseId, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var gone = await CaseRows.RequireAsync(unit, caseId);
                await WarrantyAccess.RequireAsync(caller, unit.Connection, unit.Transaction, gone.BranchId);
                await EndLocksAsync(unit, caller, gone, ct);
                var position = await unit.AppendAsync(
                    EventDraft.Of(WarrantyNames.Topic(gone.BranchId), "case-deleted", new { caseId }, caller.AsOrigin()),
                    ct
                );
                await CaseRows.DeleteAsync(unit, gone, position.Offset);
            },
            cancellationToken
        );

    public ValueTask<Case> TransferAsync(Caller caller, long caseId, long toBranchId, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var moved = await CaseRows.RequireAsync(unit, caseId);
                await WarrantyAccess.RequireAsync(caller, unit.Connection, unit.Transaction, moved.BranchId);
                _ = await CaseRows.BranchAsync(unit.Connection, unit.Transaction, toBranchId) ?? throw NoBranch(toBranchId, "toBranchId");
                if (toBranchId == moved.BranchId)
                    throw new DunlinException(
                        ErrorCode.InvalidField,
                        "The case is already in this branch. Name another branch.",
                        "toBranchId"
                    );
                await CaseRows.RequireRoomAsync(unit, toBranchId);
                await EndLocksAsync(unit, caller, moved, ct);
                await unit.AppendAsync(
                    EventDraft.Of(
                        WarrantyNames.Topic(moved.BranchId),
                        "case-transferred-out",
                        new { caseId, toBranchId },
                        caller.AsOrigin()
                    ),
                    ct
                );
                var arrived = moved with { BranchId = toBranchId, Version = (await unit.NextPositionAsync(ct)).Offset };
                await unit.AppendAsync(
                    EventDraft.Of(
                        WarrantyNames.Topic(toBranchId),
                        "case-transferred-in",
                        new
                        {
                            caseId,
                            fromBranchId = moved.BranchId,
                            @case = arrived,
                        },
                        caller.AsOrigin()
                    ),
                    ct
                );
                await CaseRows.SetBranchAsync(unit, caseId, toBranchId, arrived.Version);
                await CaseSearch.SaveAsync(unit, arrived);
                return arrived;
            },
            cancellationToken
        );

    internal static async ValueTask<Case> InsertAsync(
        IUnitOfWork unit,
        Branch branch,
        IReadOnlyList<(CaseField Field, string Value)> fields,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        string Value(string name, string fallback = "") =>
            fields.FirstOrDefault(f => string.Equals(f.Field.Name, name, StringComparison.Ordinal)).Value ?? fallback;
        var id = await CaseRows.NextIdAsync(unit);
        var serviceNo = await CaseRows.NextServiceNoAsync(unit, branch);
        var added = new Case(
            id,
            branch.Id,
            serviceNo,
            Value("status", "IN_QUEUE"),
            Value("customerName"),
            Value("customerContact"),
            Value("customerEmail"),
            Value("address"),
            Value("purchaseDate"),
            Value("invoice"),
            Value("receivedItems"),
            Value("issues"),
            Value("solutions"),
            Value("remarks"),
            Value("cost"),
            Value("staff"),
            (await unit.NextPositionAsync(cancellationToken)).Offset,
            unit.Now.ToUnixTimeMilliseconds()
        );
        await unit.AppendAsync(
            EventDraft.Of(WarrantyNames.Topic(branch.Id), "case-created", new { caseId = id, @case = added }, origin),
            cancellationToken
        );
        await CaseRows.InsertAsync(unit, added);
        return added;
    }

    internal static IReadOnlyList<(CaseField Field, string Value)> Read(IReadOnlyDictionary<string, JsonElement> values)
    {
        var fields = new List<(CaseField, string)>(values.Count);
        foreach (var (name, value) in values)
        {
            var field = CaseField.Find(name);
            fields.Add((field, field.Read(value)));
        }
        return fields;
    }

    private static async ValueTask GuardAsync(
        IUnitOfWork unit,
        Caller caller,
        Case before,
        CaseField field,
        IReadOnlyDictionary<string, LeaseProof> proofs,
        CancellationToken cancellationToken
    )
    {
        if (proofs.TryGetValue(field.Name, out var proof))
            await unit.Leases.RequireAsync(ClaimOf(caller, before, field.Name, proof), cancellationToken);
        else
            await unit.Leases.RequireNotHeldByAnotherAsync(
                WarrantyNames.Lock(before.BranchId, before.Id, field.Name),
                caller.UserId,
                null,
                cancellationToken
            );
    }

    private static LeaseClaim ClaimOf(Caller caller, Case of, string field, LeaseProof proof) =>
        new(WarrantyNames.Lock(of.BranchId, of.Id, field), LeaseRequest.CheckId(proof.LeaseId), caller.UserId, proof.FencingToken);

    private static async ValueTask<UpdateAnswer> WriteAsync(
        IUnitOfWork unit,
        Caller caller,
        Case before,
        IReadOnlyList<(CaseField Field, string Value)> fields,
        CancellationToken cancellationToken
    )
    {
        var updates = fields.ToDictionary(f => f.Field.Name, f => f.Value, StringComparer.Ordinal);
        var version = (await unit.NextPositionAsync(cancellationToken)).Offset;
        await unit.AppendAsync(UpdateEvent(before, updates, version, caller.AsOrigin()), cancellationToken);
        foreach (var (field, value) in fields)
        {
            var old = ValueOf(before, field);
            if (string.Equals(old, value, StringComparison.Ordinal))
                continue;
            await CaseRows.SetFieldAsync(unit, before.Id, field, value);
            await CaseRows.AddHistoryAsync(
                unit,
                before.Id,
                new HistoryEntry(version, field.Name, old, value, caller.UserId, caller.Name, unit.Now.ToUnixTimeMilliseconds())
            );
        }
        await CaseRows.TrimHistoryAsync(unit, before.Id);
        await CaseRows.SetVersionAsync(unit, before.Id, version);
        await CaseSearch.SaveAsync(unit, before.Id);
        return new UpdateAnswer(before.Id, updates, version);
    }

    private static EventDraft UpdateEvent(Case before, Dictionary<string, string> updates, long version, EventOrigin origin)
    {
        var topic = WarrantyNames.Topic(before.BranchId);
        return updates.Sum(u => System.Text.Encoding.UTF8.GetByteCount(u.Value)) > MaxUpdateBytes
            ? EventDraft.Of(topic, "sync-required", new { caseId = before.Id, version }, origin)
            : EventDraft.Of(
                topic,
                "case-updated",
                new
                {
                    caseId = before.Id,
                    updates,
                    version,
                },
                origin
            );
    }

    private static ValueTask EndLocksAsync(IUnitOfWork unit, Caller caller, Case on, CancellationToken cancellationToken) =>
        unit.Leases.EndUnderAsync(WarrantyNames.LocksOf(on.BranchId, on.Id), caller.UserId, caller.AsOrigin(), cancellationToken);

    private static string ValueOf(Case source, CaseField field) =>
        field.Name switch
        {
            "customerName" => source.CustomerName,
            "customerContact" => source.CustomerContact,
            "customerEmail" => source.CustomerEmail,
            "address" => source.Address,
            "purchaseDate" => source.PurchaseDate,
            "invoice" => source.Invoice,
            "status" => source.Status,
            "receivedItems" => source.ReceivedItems,
            "issues" => source.Issues,
            "solutions" => source.Solutions,
            "remarks" => source.Remarks,
            "cost" => source.Cost,
            "staff" => source.Staff,
            _ => throw new InvalidOperationException($"The field '{field.Name}' is not mapped."),
        };

    private static DunlinException NoBranch(long id, string field) => new(ErrorCode.NotFound, $"No branch with id {id}.", field);

    private static DunlinException Changed(Case current) =>
        new(ErrorCode.VersionMismatch)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["version"] = current.Version.ToString(CultureInfo.InvariantCulture),
            },
        };
}

/// <summary>The written fields and the new version.</summary>
public sealed record UpdateAnswer(long CaseId, IReadOnlyDictionary<string, string> Updates, long Version);
