using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb.Push;

/// <summary>The outcome of a row. Immutable.</summary>
/// <param name="Kind">The kind for metrics: written, equal, conflict, refused or failed.</param>
/// <param name="Answer">The document that the client receives. Null if the client's document is current.</param>
/// <param name="Refusal">The error code of a refused row. Null for other rows.</param>
internal sealed record RowOutcome(string Kind, byte[]? Answer = null, string? Refusal = null)
{
    public static RowOutcome Written { get; } = new("written");

    public static RowOutcome Equal { get; } = new("equal");
}

/// <summary>A row cannot be processed. The whole run is rolled back.</summary>
internal sealed class RowFailedException(int index, Exception cause) : Exception(cause.Message, cause)
{
    public int Index { get; } = index;
}

/// <summary>Processes rows of one push in one unit of work. Not thread-safe.</summary>
/// <remarks>
/// Each row is compared with the document that the caller may currently see (the master):
/// <list type="number">
/// <item>The new state equals the master: nothing to do (a repeated push, or a resolved conflict).</item>
/// <item>The client's assumed state differs from the master: a conflict. The response contains the master.</item>
/// <item>Another user holds the lease, or the application refuses the change: the response contains the master too.</item>
/// <item>Otherwise the row is written.</item>
/// </list>
/// A document that the caller may not see is treated as absent. Deleting it succeeds. For any other change the response contains the
/// caller's own document, marked deleted. The response therefore reveals nothing about the document, the echo of a revocation deletes
/// nothing, and no id is used twice.
/// </remarks>
internal sealed class PushRun(
    RxCollection collection,
    IReadOnlyList<PushRow> rows,
    int from,
    int to,
    IReadOnlyDictionary<int, string> failed,
    IReadOnlyList<string> leases,
    Caller caller,
    RxDocuments documents,
    IServiceProvider services,
    RxDbOptions options
)
{
    /// <summary>Gets the index of the row that is being processed, or null between rows.</summary>
    public int? Running { get; private set; }

    /// <summary>Gets the token of the unit of work, which is cancelled at its time limit.</summary>
    public CancellationToken Limit { get; private set; }

    /// <summary>Gets the outcomes of the rows, starting with the first row of the run.</summary>
    public List<RowOutcome> Outcomes { get; } = [];

    public async ValueTask<bool> RunAsync(IUnitOfWork unit, CancellationToken cancellationToken)
    {
        Limit = cancellationToken;
        Outcomes.Clear();
        var records = unit.Records(caller.AsOrigin());
        for (var index = from; index < to; index++)
        {
            Running = index;
            try
            {
                Outcomes.Add(await JudgeAsync(index, unit, records, cancellationToken));
            }
            catch (Exception exception) when (!IsStoresBusiness(exception, cancellationToken))
            {
                throw new RowFailedException(index, exception);
            }
        }
        Running = null;
        if (records.Changed.Count > 0 || records.UsersWithChangedAccess.Count > 0)
            await documents.AnnounceAsync(unit, records, caller.AsOrigin(), cancellationToken);
        return true;
    }

    private async ValueTask<RowOutcome> JudgeAsync(int index, IUnitOfWork unit, RecordWriter records, CancellationToken cancellationToken)
    {
        var row = rows[index];
        if (row.Fault(collection, options) is { } fault)
            return new RowOutcome(
                "refused",
                await FindMasterAsync(row, unit, records, cancellationToken) is { } kept ? Answer(kept) : WireDocuments.Refused(row.Raw),
                fault
            );
        var master = await FindMasterAsync(row, unit, records, cancellationToken);
        if (failed.TryGetValue(index, out var code))
            return Refuse(row, master, code, "failed");
        var wanted = DocumentState.Of(collection, row.Document);
        var change = RxChange.Insert;
        if (master is null)
        {
            if (wanted.IsDeleted)
                return RowOutcome.Equal;
            // An edit must not restore a document that the client knew and that is now gone for it.
            if (row.Assumed is { } known && !DocumentState.IsMarkedDeleted(known))
                return new RowOutcome("conflict", WireDocuments.Refused(row.Raw));
            if (await IdIndex(unit).FindAsync(collection.KeyOf(row.Id), cancellationToken) is not null)
                return new RowOutcome("refused", WireDocuments.Refused(row.Raw), ErrorCode.Forbidden.Code);
        }
        else
        {
            var current = StateOf(master);
            if (wanted.IsSame(current))
                return RowOutcome.Equal;
            if (row.Assumed is not { } assumed || !DocumentState.Of(collection, assumed).IsSame(current))
                return new RowOutcome("conflict", Answer(master));
            change =
                master.IsDeleted ? RxChange.Restore
                : wanted.IsDeleted ? RxChange.Delete
                : RxChange.Update;
        }
        return await WriteAsync(row, master, wanted, change, unit, records, cancellationToken);
    }

    private async ValueTask<RowOutcome> WriteAsync(
        PushRow row,
        RecordRow? master,
        DocumentState wanted,
        RxChange change,
        IUnitOfWork unit,
        RecordWriter records,
        CancellationToken cancellationToken
    )
    {
        var current = master is { IsDeleted: false } ? JsonNode.Parse(master.Value.Span)!.AsObject() : null;
        var write = new RxWrite(unit, records, services, caller)
        {
            Collection = collection,
            Id = row.Id,
            Change = change,
            Master = current,
            Document = change == RxChange.Delete ? current!.DeepClone().AsObject() : Merge(row.Id, current, wanted.Fields),
            Space = master?.Space,
        };
        if (
            collection.Lease?.Invoke(write) is { } resource
            && await unit.Leases.IsHeldByAnotherAsync(resource, caller.UserId, leases, cancellationToken)
        )
            return Refuse(row, master, ErrorCode.LeaseHeld.Code);
        var decision = await collection.Decide(write, cancellationToken);
        if (decision.Refusal is { } refusal)
            return Refuse(row, master, refusal);
        var space = change == RxChange.Insert ? decision.Space : master!.Space;
        if (space is not { } home || (change != RxChange.Insert && decision.Space is { } other && other != home))
            throw new InvalidOperationException(
                $"'{collection.Name}' returned the wrong decision. Return RxDecision.Insert for an insert, and RxDecision.Write for every other change."
            );
        if (change == RxChange.Delete)
            await records.DeleteAsync(home, collection.KeyOf(row.Id), cancellationToken);
        else
            await PutAsync(write, home, change == RxChange.Insert ? decision.Audience : master!.Audience, records, cancellationToken);
        return RowOutcome.Written;
    }

    private async ValueTask PutAsync(
        RxWrite write,
        SpaceName space,
        string? audience,
        RecordWriter records,
        CancellationToken cancellationToken
    )
    {
        // A document that its writer may not read would never reach its writer, and could not be reverted.
        if (!await records.MayReadAsync(space, caller.UserId, cancellationToken) || (audience is not null && audience != caller.UserId))
            throw new DunlinException(ErrorCode.Forbidden, $"The writer of the document may not read its space '{space}'.");
        var json = JsonSerializer.SerializeToUtf8Bytes(write.Document);
        if (json.Length > options.MaxDocumentBytes)
            throw new DunlinException(
                ErrorCode.TooLarge,
                $"The document has {json.Length} bytes; the limit is {options.MaxDocumentBytes}."
            );
        await records.PutJsonAsync(space, collection.KeyOf(write.Id), json, audience, cancellationToken);
        // Later rows of the run look up the document's location in the index.
        foreach (var changed in records.Changed)
        {
            if (changed.Space == space && changed.Key == collection.KeyOf(write.Id))
                await IdIndex(write.Unit).SaveAsync(changed, cancellationToken);
        }
    }

    private async ValueTask<RecordRow?> FindMasterAsync(
        PushRow row,
        IUnitOfWork unit,
        RecordWriter records,
        CancellationToken cancellationToken
    )
    {
        if (!row.HasId(collection))
            return null;
        var key = collection.KeyOf(row.Id);
        if (
            await IdIndex(unit).FindAsync(key, cancellationToken) is not { } home
            || !await records.MayReadAsync(home.Space, caller.UserId, cancellationToken)
        )
            return null;
        var master = await unit.RecordTables().Records.FindAsync(home.Space, key, cancellationToken);
        return master?.Audience is null || master.Audience == caller.UserId ? master : null;
    }

    private RowOutcome Refuse(PushRow row, RecordRow? master, string code, string kind = "refused") =>
        new(kind, master is null ? WireDocuments.Refused(row.Raw) : Answer(master), code);

    private byte[] Answer(RecordRow master) =>
        master.IsDeleted ? WireDocuments.Gone(collection, collection.IdOf(master.Key)) : WireDocuments.Living(master.Value.Span);

    private DocumentState StateOf(RecordRow master)
    {
        if (master.IsDeleted)
            return DocumentState.Deleted;
        using var document = JsonDocument.Parse(master.Value);
        return DocumentState.Of(collection, document.RootElement);
    }

    private JsonObject Merge(string id, JsonObject? current, JsonObject fields)
    {
        var document = new JsonObject { [collection.PrimaryKey] = id };
        foreach (var (name, value) in current ?? [])
        {
            if (name != collection.PrimaryKey && !collection.ClientFields.Contains(name, StringComparer.Ordinal))
                document[name] = value?.DeepClone();
        }
        foreach (var (name, value) in fields)
            document[name] = value?.DeepClone();
        return document;
    }

    private static DocumentIdIndex IdIndex(IUnitOfWork unit) => new(unit.RecordTables().Records);

    // A fault of the store or the time limit, which is no permanent error of the row. The store receives database exceptions unchanged: it
    // retries transient ones and rethrows permanent ones.
    private static bool IsStoresBusiness(Exception exception, CancellationToken cancellationToken) =>
        exception is DbException or DunlinException { Code.Status: >= 500 } || cancellationToken.IsCancellationRequested;
}
