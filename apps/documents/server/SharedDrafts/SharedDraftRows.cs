using System.Data.Common;
using Dapper;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>The SQL of the shared drafts, for reads and inside units of work.</summary>
internal static class SharedDraftRows
{
    private const string Columns =
        "s.stable_id AS StableId, s.id AS Id, s.line_break AS LineBreak, s.started_by AS StartedBy, s.started_at AS StartedAt";

    public static Task<SharedDraft?> FindAsync(DbConnection connection, DbTransaction? transaction, string stableId) =>
        connection.QuerySingleOrDefaultAsync<SharedDraft?>(
            $"SELECT {Columns} FROM documents_shared_draft s WHERE s.stable_id = @stableId",
            new { stableId },
            transaction
        );

    public static Task<SharedDraft?> FindAsync(IUnitOfWork unit, DocumentFile file) =>
        FindAsync(unit.Connection, unit.Transaction, file.StableId);

    /// <summary>Returns the drafts of all visible files by file.</summary>
    public static async Task<IReadOnlyDictionary<string, SharedDraft>> ListAsync(DbConnection connection, Caller caller)
    {
        var drafts = await connection.QueryAsync<SharedDraft>(
            $"SELECT {Columns} FROM documents_shared_draft s JOIN documents_file f ON f.stable_id = s.stable_id "
                + $"JOIN documents_document d ON d.id = f.document_id WHERE {DocumentRows.Visible}",
            new { userId = caller.UserId, all = CollectionRows.All(caller) }
        );
        return drafts.ToDictionary(draft => draft.StableId, StringComparer.Ordinal);
    }

    public static Task InsertAsync(IUnitOfWork unit, SharedDraft added) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO documents_shared_draft (stable_id, id, line_break, started_by, started_at) "
                + "VALUES (@StableId, @Id, @LineBreak, @StartedBy, @StartedAt)",
            added,
            unit.Transaction
        );

    /// <returns>Whether the file had this draft.</returns>
    public static async Task<bool> DeleteAsync(IUnitOfWork unit, string stableId, string id) =>
        await unit.Connection.ExecuteAsync(
            "DELETE FROM documents_shared_draft WHERE stable_id = @stableId AND id = @id",
            new { stableId, id },
            unit.Transaction
        ) > 0;

    /// <summary>Requires that nobody edits the file together. Locks, deletion and promotion call it in their transaction.</summary>
    public static async ValueTask RequireNoneAsync(IUnitOfWork unit, DocumentFile file)
    {
        if (await FindAsync(unit, file) is { } draft)
            throw DocumentErrors.EditedTogetherBy(draft.StartedBy);
    }

    /// <summary>Requires that a draft has not ended.</summary>
    public static async ValueTask RequireAsync(IUnitOfWork unit, DocumentFile file, string id)
    {
        if (!string.Equals((await FindAsync(unit, file))?.Id, id, StringComparison.Ordinal))
            throw new Dunlin.Diagnostics.DunlinException(DocumentErrors.SharedDraftEnded);
    }
}
