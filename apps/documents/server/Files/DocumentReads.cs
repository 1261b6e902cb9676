using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Locks;
using Dunlin.Apps.Documents.SharedDrafts;
using Dunlin.Apps.Text;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>The read operations: the list, a file with its content, and the history of versions.</summary>
internal sealed class DocumentReads(IStore store)
{
    public ValueTask<FileList> ListAsync(Caller caller, string? variant, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                var collections = await CollectionRows.ListAsync(scope.Connection, caller);
                var files = await DocumentRows.ListAsync(scope.Connection, caller, variant);
                var holders = new Dictionary<string, LockHolder>(StringComparer.Ordinal);
                foreach (var collection in collections)
                {
                    foreach (var (stableId, holder) in await FileLocks.HoldersAsync(scope, caller, collection.Id, ct))
                        holders[stableId] = holder;
                }
                var drafts = await SharedDraftRows.ListAsync(scope.Connection, caller);
                var documents = files
                    .GroupBy(f => f.DocumentId, StringComparer.Ordinal)
                    .Select(group => DocumentOf(caller, [.. group], holders, drafts));
                var variants = files
                    .Where(f => f.Variant.Length > 0)
                    .Select(f => f.Variant)
                    .Distinct(StringComparer.Ordinal)
                    .OrderBy(FoldedText.SortKey, StringComparer.Ordinal);
                return new FileList(
                    collections,
                    [.. documents],
                    [.. variants],
                    await Maintenance.ReadAsync(scope),
                    scope.Position.ToString(),
                    scope.Now
                );
            },
            cancellationToken
        );

    /// <summary>Returns a file and its content; null content if the caller already has this revision.</summary>
    public ValueTask<(DocumentFile File, byte[]? Content)> ReadAsync(
        Caller caller,
        string stableId,
        Func<string, bool> has,
        CancellationToken cancellationToken
    ) =>
        store.ReadAsync(
            async (scope, _) =>
            {
                var file = await DocumentRows.RequireAsync(scope.Connection, null, caller, stableId);
                return (file, has(file.ETag) ? null : await DocumentRows.ContentAsync(scope.Connection, null, stableId));
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<VersionView>> HistoryAsync(Caller caller, string stableId, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) =>
                await DocumentRows.HistoryAsync(
                    scope.Connection,
                    await DocumentRows.RequireAsync(scope.Connection, null, caller, stableId),
                    caller
                ),
            cancellationToken
        );

    private static DocumentView DocumentOf(
        Caller caller,
        IReadOnlyList<DocumentFile> files,
        Dictionary<string, LockHolder> holders,
        IReadOnlyDictionary<string, SharedDraft> drafts
    )
    {
        FileView View(DocumentFile file) =>
            new(
                file.StableId,
                file.Variant,
                file.Number,
                file.Label,
                file.IsGoldStandard,
                file.OwnerName,
                file.ChangedBy,
                DocumentRows.Time(file.CreatedAt),
                DocumentRows.Time(file.ChangedAt),
                file.ETag,
                file.Size,
                holders.GetValueOrDefault(file.StableId),
                drafts.TryGetValue(file.StableId, out var draft) ? SharedDraftService.ViewOf(draft, file) : null,
                DocumentRights.Of(caller, file)
            );

        var source = files.FirstOrDefault(f => f.Kind == FileKind.Source);
        return new DocumentView(
            files[0].DocumentId,
            files[0].CollectionId,
            files[0].Title,
            source is null ? null : View(source),
            [.. files.Where(f => f.Kind == FileKind.Text).Select(View)]
        );
    }
}
