using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Locks;
using Dunlin.Apps.Documents.SharedDrafts;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>
/// Deletes files, all or none, and only with the lock of each, so that no open text is deleted under another user. The rows stay (soft
/// deletion), with the user and the time of the deletion.
/// </summary>
internal sealed class DocumentDeletion(IStore store, LockIds ids)
{
    /// <summary>Deletes files.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="fileIds">The files.</param>
    /// <param name="fences">
    /// Fencing tokens of the page's grants, for some of the files. Without a token the current grant of the session counts.
    /// </param>
    /// <param name="cancellationToken">Cancels before anything is deleted.</param>
    public async ValueTask DeleteAsync(
        Caller caller,
        IReadOnlyList<string> fileIds,
        IReadOnlyDictionary<string, long> fences,
        CancellationToken cancellationToken
    )
    {
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await Maintenance.RequireOffAsync(unit, caller);
                var files = new List<DocumentFile>();
                foreach (var id in fileIds.Distinct(StringComparer.Ordinal))
                {
                    var file = await DocumentRows.RequireAsync(unit, caller, id);
                    DocumentRights.RequireDelete(caller, file);
                    await SharedDraftRows.RequireNoneAsync(unit, file);
                    long? fence = fences.TryGetValue(id, out var named) ? named : null;
                    await unit.Leases.RequireAsync(new LeaseClaim(FileLocks.ResourceOf(file), leaseId, caller.UserId, fence), ct);
                    files.Add(file);
                }
                await RemoveAsync(unit, caller, files, ct);
            },
            cancellationToken
        );
    }

    /// <summary>
    /// Takes back deletions, all or none. A restored gold standard is a normal version if the document has another one now. Restoring a
    /// file that is not deleted has no effect.
    /// </summary>
    /// <param name="caller">The caller, with the right to delete each file.</param>
    /// <param name="fileIds">The files.</param>
    /// <param name="cancellationToken">Cancels before anything is restored.</param>
    public async ValueTask RestoreAsync(Caller caller, IReadOnlyList<string> fileIds, CancellationToken cancellationToken) =>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await Maintenance.RequireOffAsync(unit, caller);
                var restored = new List<DocumentFile>();
                foreach (var id in fileIds.Distinct(StringComparer.Ordinal))
                {
                    var file = await DocumentRows.RequireAlsoDeletedAsync(unit, caller, id);
                    DocumentRights.RequireDelete(caller, file);
                    if (await DocumentRows.RestoreAsync(unit, file))
                        restored.Add(file);
                }
                foreach (var collection in restored.GroupBy(f => f.CollectionId, StringComparer.Ordinal))
                    await unit.AppendAsync(
                        DocumentEvents.Restored(collection.Key, collection.Select(f => f.StableId), caller.AsOrigin()),
                        ct
                    );
            },
            cancellationToken
        );

    private static async ValueTask RemoveAsync(
        IUnitOfWork unit,
        Caller caller,
        List<DocumentFile> files,
        CancellationToken cancellationToken
    )
    {
        // Append the deletion before the releases, so that no waiting reader races for a deleted file.
        foreach (var collection in files.GroupBy(f => f.CollectionId, StringComparer.Ordinal))
            await unit.AppendAsync(
                DocumentEvents.Deleted(collection.Key, collection.Select(f => f.StableId), caller.AsOrigin()),
                cancellationToken
            );
        foreach (var file in files)
        {
            await DocumentRows.DeleteAsync(unit, file.StableId, caller.Name);
            await unit.Leases.EndUnderAsync(FileLocks.ResourceOf(file).Value, userId: null, caller.AsOrigin(), cancellationToken);
        }
    }
}
