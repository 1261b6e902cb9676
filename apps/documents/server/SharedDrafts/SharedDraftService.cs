using System.Text;
using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Documents.Locks;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Dunlin.Yjs;

namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>
/// Starts and ends shared drafts. States of a file:
/// <code>
/// free or locked by the caller -- start --> edited together -- end --> free
/// </code>
/// Each change is one transaction with the check of the lock, so a file is never locked and edited together.
/// </summary>
internal sealed class SharedDraftService(IStore store, LockIds ids)
{
    /// <summary>The name of the shared text in the Yjs document.</summary>
    public const string TextName = "text";

    /// <summary>Starts a shared draft of the stored text, or returns the draft that another user started.</summary>
    /// <param name="caller">The caller, with the right to write the file.</param>
    /// <param name="fileId">The file.</param>
    /// <param name="fencingToken">The token of the page's lock, which ends; null: the session's lock ends, if it has one.</param>
    /// <param name="cancellationToken">Cancels before the draft is started.</param>
    public async ValueTask<(SharedDraftView Draft, bool IsNew)> StartAsync(
        Caller caller,
        string fileId,
        long? fencingToken,
        CancellationToken cancellationToken
    )
    {
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        return await store.WriteAsync(
            async (unit, ct) =>
            {
                await Maintenance.RequireOffAsync(unit, caller);
                var file = await DocumentRows.RequireAsync(unit, caller, fileId);
                DocumentRights.RequireWrite(caller, file);
                if (await SharedDraftRows.FindAsync(unit, file) is { } running)
                    return (ViewOf(running, file), false);
                await EndLockAsync(unit, caller, file, leaseId, fencingToken, ct);
                var stored = await DocumentRows.ContentAsync(unit.Connection, unit.Transaction, fileId);
                var (text, lineBreak) = LineBreaks.Share(Encoding.UTF8.GetString(stored));
                var draft = new SharedDraft(fileId, DocumentSaves.NewId(), lineBreak, caller.Name, unit.Now.ToUnixTimeMilliseconds());
                await SharedDraftRows.InsertAsync(unit, draft);
                var topic = DocumentNames.DraftTopic(file.CollectionId, fileId, draft.Id);
                await unit.CreateYjsTextAsync(topic, TextName, text, caller.AsOrigin(), ct);
                return (ViewOf(draft, file), true);
            },
            cancellationToken
        );
    }

    /// <summary>Ends a shared draft and removes its text. Text that was not saved is discarded. Idempotent.</summary>
    /// <param name="caller">The caller, with the right to write the file, or an administrator.</param>
    /// <param name="fileId">The file.</param>
    /// <param name="draftId">The draft. An id of an ended draft never ends another one.</param>
    /// <param name="cancellationToken">Cancels before the draft is ended.</param>
    /// <returns>Whether the draft was ended by this call.</returns>
    public ValueTask<bool> EndAsync(Caller caller, string fileId, string draftId, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                await Maintenance.RequireOffAsync(unit, caller);
                var file = await DocumentRows.RequireAsync(unit, caller, fileId);
                if (!caller.IsAdministrator)
                    DocumentRights.RequireWrite(caller, file);
                if (!await SharedDraftRows.DeleteAsync(unit, fileId, draftId))
                    return false;
                await unit.Streams.DeleteAsync(DocumentNames.DraftTopic(file.CollectionId, fileId, draftId), ct);
                await unit.AppendAsync(DocumentEvents.Changed(file.CollectionId, "shared_draft_ended", fileId, caller.AsOrigin()), ct);
                return true;
            },
            cancellationToken
        );

    /// <summary>Requires that no maintenance blocks the edits of a caller.</summary>
    public async ValueTask RequireNoMaintenanceAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (caller.IsAdministrator)
            return;
        var state = await store.ReadAsync((scope, _) => Maintenance.ReadAsync(scope), cancellationToken);
        if (state.On)
            throw Maintenance.Refusal(state.Message);
    }

    public static SharedDraftView ViewOf(SharedDraft draft, DocumentFile file) =>
        new(
            draft.Id,
            DocumentNames.DraftTopic(file.CollectionId, file.StableId, draft.Id).Value,
            draft.LineBreak,
            draft.StartedBy,
            DocumentRows.Time(draft.StartedAt)
        );

    private static async ValueTask EndLockAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile file,
        string leaseId,
        long? fencingToken,
        CancellationToken cancellationToken
    )
    {
        var resource = FileLocks.ResourceOf(file);
        if (fencingToken is not null)
            await unit.Leases.RequireAsync(new LeaseClaim(resource, leaseId, caller.UserId, fencingToken), cancellationToken);
        else
            await unit.Leases.RequireNotHeldByAnotherAsync(resource, caller.UserId, leaseId, cancellationToken);
        // Append the start before the release, so that waiting readers join instead of asking for the lock.
        await unit.AppendAsync(
            DocumentEvents.Changed(file.CollectionId, "shared_draft_started", file.StableId, caller.AsOrigin()),
            cancellationToken
        );
        await unit.Leases.EndUnderAsync(resource.Value, userId: null, caller.AsOrigin(), cancellationToken);
    }
}
