using System.Security.Cryptography;
using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Locks;
using Dunlin.Apps.Documents.SharedDrafts;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Problems;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>A request to save.</summary>
/// <param name="FileId">The file to replace, or a file of the document that gets another version.</param>
/// <param name="Text">The text, stored unchanged.</param>
/// <param name="AsNew">Store it as a new version of the same document and variant.</param>
/// <param name="AsGold">Store it as the first gold standard of the document and variant.</param>
/// <param name="FencingToken">The token of the lock; required to replace, unless the text is that of a shared draft.</param>
/// <param name="SharedDraftId">The shared draft whose text this is; null for none.</param>
/// <param name="IfMatch">The revision to replace; null for any.</param>
/// <param name="Label">The name of a new version.</param>
internal sealed record SaveRequest(
    string FileId,
    string Text,
    bool AsNew,
    bool AsGold,
    long? FencingToken,
    string? SharedDraftId,
    IfMatch? IfMatch,
    string Label
);

/// <summary>
/// Saves texts. Each save is one unit of work with permission check, maintenance check, lock check, number, content and event. Replacing a
/// text requires its lock in that transaction, with the grant of the edit. A new version needs no lock, so that a text can be stored after
/// its lock was lost.
/// </summary>
internal sealed class DocumentSaves(IStore store, LockIds ids)
{
    private const string IdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>Returns a new stable id, which is short and cannot be guessed or enumerated.</summary>
    public static string NewId() => RandomNumberGenerator.GetString(IdAlphabet, 13);

    public async ValueTask<SaveAnswer> SaveAsync(Caller caller, SaveRequest request, CancellationToken cancellationToken)
    {
        var content = DocumentXml.Check(request.Text);
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        return await store.WriteAsync(
            async (unit, ct) =>
            {
                var file = await DocumentRows.RequireAsync(unit, caller, request.FileId);
                if (file.Kind != FileKind.Text)
                    throw new DunlinException(
                        ErrorCode.InvalidField,
                        "This file is a source and cannot be saved. Save a text file.",
                        "file_id"
                    );
                await Maintenance.RequireOffAsync(unit, caller);
                return request switch
                {
                    { AsGold: true } => await AddGoldAsync(unit, caller, file, request, content, ct),
                    { AsNew: true } => await AddVersionAsync(unit, caller, file, request, content, ct),
                    _ => await ReplaceAsync(unit, caller, file, request, content, leaseId, ct),
                };
            },
            cancellationToken
        );
    }

    /// <summary>Adds a document with its first version.</summary>
    public ValueTask<SaveAnswer> ImportAsync(
        Caller caller,
        string collectionId,
        string title,
        string variant,
        string text,
        CancellationToken cancellationToken
    )
    {
        var content = DocumentXml.Check(text);
        return store.WriteAsync(
            async (unit, ct) =>
            {
                if (!await CollectionRows.MaySeeAsync(unit.Connection, unit.Transaction, caller, collectionId))
                    throw DocumentErrors.NoCollection(collectionId);
                DocumentRights.RequireImport(caller);
                await Maintenance.RequireOffAsync(unit, caller);
                if (await CollectionRows.DocumentCountAsync(unit, collectionId) >= DocumentLimits.Documents)
                    throw DunlinException.Limit(DocumentLimits.Documents, "documents for one collection", "collection");
                await RequireRoomAsync(unit, caller.UserId, content.Length);
                var documentId = NewId();
                await DocumentRows.InsertDocumentAsync(unit, documentId, collectionId, title);
                var added = await InsertAsync(
                    unit,
                    (documentId, collectionId, title),
                    (FileKind.Text, variant),
                    (caller.UserId, caller.Name),
                    isGold: false,
                    label: "",
                    content,
                    caller.AsOrigin(),
                    ct
                );
                return AnswerOf("new", added);
            },
            cancellationToken
        );
    }

    /// <summary>
    /// Makes a version the gold standard of its document and variant, in place of the previous one. Refused while another session edits the
    /// version, because that session could lose its permission to save.
    /// </summary>
    public ValueTask PromoteAsync(Caller caller, string stableId, CancellationToken cancellationToken) =>
        SetGoldAsync(caller, stableId, isGold: true, cancellationToken);

    /// <summary>
    /// Makes a gold standard a normal version again, which takes back a promotion. Refused while another session edits the file.
    /// </summary>
    public ValueTask DemoteAsync(Caller caller, string stableId, CancellationToken cancellationToken) =>
        SetGoldAsync(caller, stableId, isGold: false, cancellationToken);

    private async ValueTask SetGoldAsync(Caller caller, string stableId, bool isGold, CancellationToken cancellationToken)
    {
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        await store.WriteAsync(
            async (unit, ct) =>
            {
                var file = await DocumentRows.RequireAsync(unit, caller, stableId);
                DocumentRights.RequirePromote(caller, file);
                await Maintenance.RequireOffAsync(unit, caller);
                if (file.IsGoldStandard == isGold)
                    return;
                await SharedDraftRows.RequireNoneAsync(unit, file);
                await unit.Leases.RequireNotHeldByAnotherAsync(FileLocks.ResourceOf(file), caller.UserId, leaseId, ct);
                await (isGold ? DocumentRows.PromoteAsync(unit, file) : DocumentRows.DemoteAsync(unit, file));
                await unit.AppendAsync(DocumentEvents.Changed(file.CollectionId, "gold_standard_changed", stableId, caller.AsOrigin()), ct);
            },
            cancellationToken
        );
    }

    /// <summary>Adds one file in a unit of work: assigns its number, appends the event, and writes row and content.</summary>
    internal static async ValueTask<DocumentFile> InsertAsync(
        IUnitOfWork unit,
        (string Id, string CollectionId, string Title) document,
        (string Kind, string Variant) what,
        (string Id, string Name) owner,
        bool isGold,
        string label,
        byte[] content,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        var now = unit.Now.ToUnixTimeMilliseconds();
        var number = await DocumentRows.NextNumberAsync(unit, document.Id, what.Kind, what.Variant);
        if (number > DocumentLimits.Versions)
            throw DunlinException.Limit(
                DocumentLimits.Versions,
                "versions for one document and variant, deleted versions included",
                "new_version"
            );
        var added = new DocumentFile(
            NewId(),
            document.Id,
            document.CollectionId,
            document.Title,
            what.Kind,
            what.Variant,
            number,
            isGold ? 1 : 0,
            label,
            owner.Id,
            owner.Name,
            owner.Name,
            now,
            now,
            (await unit.NextPositionAsync(cancellationToken)).Offset,
            content.Length
        );
        await unit.AppendAsync(DocumentEvents.Changed(document.CollectionId, "file_created", added.StableId, origin), cancellationToken);
        await DocumentRows.InsertAsync(unit, added, content);
        return added;
    }

    private static async ValueTask<SaveAnswer> AddVersionAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile beside,
        SaveRequest request,
        byte[] content,
        CancellationToken cancellationToken
    )
    {
        DocumentRights.RequireNewVersion(caller, beside);
        return AnswerOf("new", await InsertBesideAsync(unit, caller, beside, isGold: false, request.Label, content, cancellationToken));
    }

    private static async ValueTask<SaveAnswer> AddGoldAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile beside,
        SaveRequest request,
        byte[] content,
        CancellationToken cancellationToken
    )
    {
        DocumentRights.RequirePromote(caller, beside);
        if (await DocumentRows.GoldOfAsync(unit, beside.DocumentId, beside.Variant) is { } gold)
        {
            throw new DunlinException(
                ErrorCode.Conflict,
                "This document already has a gold standard. Save that file, or promote another version.",
                "new_gold"
            )
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["gold_id"] = gold },
            };
        }
        return AnswerOf("new_gold", await InsertBesideAsync(unit, caller, beside, isGold: true, request.Label, content, cancellationToken));
    }

    private static async ValueTask<DocumentFile> InsertBesideAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile beside,
        bool isGold,
        string label,
        byte[] content,
        CancellationToken cancellationToken
    )
    {
        await RequireRoomAsync(unit, caller.UserId, content.Length);
        return await InsertAsync(
            unit,
            (beside.DocumentId, beside.CollectionId, beside.Title),
            (beside.Kind, beside.Variant),
            (caller.UserId, caller.Name),
            isGold,
            label,
            content,
            caller.AsOrigin(),
            cancellationToken
        );
    }

    private static async ValueTask RequireRoomAsync(IUnitOfWork unit, string userId, int more)
    {
        if (await DocumentRows.OwnBytesAsync(unit, userId) + more > DocumentLimits.OwnBytes)
        {
            throw new DunlinException(
                ErrorCode.LimitReached,
                $"The limit is {DocumentLimits.OwnBytes} bytes of versions for one user, deleted versions included.",
                "xml_string"
            )
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = DocumentLimits.OwnBytes },
            };
        }
    }

    private static async ValueTask<SaveAnswer> ReplaceAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile file,
        SaveRequest request,
        byte[] content,
        string leaseId,
        CancellationToken cancellationToken
    )
    {
        DocumentRights.RequireWrite(caller, file);
        await RequireEditorAsync(unit, caller, file, request, leaseId, cancellationToken);
        // An unchanged text causes no write, no event and no new revision.
        var before = await DocumentRows.ContentAsync(unit.Connection, unit.Transaction, file.StableId);
        var isChanged = !content.AsSpan().SequenceEqual(before);
        // Users of a shared draft save the same text: a repeated or concurrent save of it is no conflict.
        if ((isChanged || request.SharedDraftId is null) && request.IfMatch?.Allows(file.ETag) == false)
        {
            throw new DunlinException(ErrorCode.VersionMismatch)
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["etag"] = file.ETag },
            };
        }
        if (!isChanged)
            return AnswerOf("saved", file, changed: false);
        var position = await unit.AppendAsync(
            DocumentEvents.Changed(file.CollectionId, "file_saved", file.StableId, caller.AsOrigin()),
            cancellationToken
        );
        await DocumentRows.ReplaceAsync(unit, file.StableId, content, caller.Name, position.Offset);
        return AnswerOf("saved", file with { Revision = position.Offset });
    }

    /// <summary>Requires the grant of the edit, or the shared draft of which it is a part.</summary>
    private static async ValueTask RequireEditorAsync(
        IUnitOfWork unit,
        Caller caller,
        DocumentFile file,
        SaveRequest request,
        string leaseId,
        CancellationToken cancellationToken
    )
    {
        if (request.SharedDraftId is { } draftId)
            await SharedDraftRows.RequireAsync(unit, file, draftId);
        else if (request.FencingToken is { } fencingToken)
            await unit.Leases.RequireAsync(
                new LeaseClaim(FileLocks.ResourceOf(file), leaseId, caller.UserId, fencingToken),
                cancellationToken
            );
        else
            throw new DunlinException(ErrorCode.InvalidField, "'lease' is missing. Send the lease that acquire_lock returned.", "lease");
    }

    private static SaveAnswer AnswerOf(string status, DocumentFile file, bool changed = true) =>
        new(status, file.StableId, file.Number, file.ETag, changed);
}
