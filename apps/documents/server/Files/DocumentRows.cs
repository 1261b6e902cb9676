using System.Data.Common;
using Dapper;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Search;
using Dunlin.Apps.Text;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>The SQL of the files, for reads and inside units of work.</summary>
internal static class DocumentRows
{
    private const string Columns =
        "f.stable_id AS StableId, f.document_id AS DocumentId, d.collection_id AS CollectionId, d.title AS Title, f.kind AS Kind, f.variant AS Variant, "
        + "f.number AS Number, f.is_gold AS IsGold, f.label AS Label, f.owner_id AS OwnerId, f.owner_name AS OwnerName, f.changed_by AS ChangedBy, "
        + "f.created_at AS CreatedAt, f.changed_at AS ChangedAt, f.revision AS Revision, f.size AS Size";

    private const string From = "FROM documents_file f JOIN documents_document d ON d.id = f.document_id";

    /// <summary>
    /// The condition for files that the caller may see, with the parameters <c>@all</c> and <c>@userId</c>. A parameter instead of a second
    /// statement: the statement is the same for administrators, who see all files.
    /// </summary>
    public const string Visible =
        "(@all = 1 OR EXISTS (SELECT 1 FROM documents_member m WHERE m.collection_id = d.collection_id AND m.user_id = @userId))";

    /// <summary>
    /// Returns the file if it exists and the caller may see it. Otherwise throws the same error, so that callers cannot distinguish the two
    /// cases.
    /// </summary>
    public static async Task<DocumentFile> RequireAsync(
        DbConnection connection,
        DbTransaction? transaction,
        Caller caller,
        string stableId
    ) =>
        await connection.QuerySingleOrDefaultAsync<DocumentFile>(
            $"SELECT {Columns} {From} WHERE f.stable_id = @stableId AND f.deleted_at IS NULL AND {Visible}",
            new
            {
                stableId,
                userId = caller.UserId,
                all = CollectionRows.All(caller),
            },
            transaction
        ) ?? throw DocumentErrors.NoFile(stableId);

    /// <summary>Returns a file that exists or was deleted, if the caller may see its collection.</summary>
    public static async Task<DocumentFile> RequireAlsoDeletedAsync(IUnitOfWork unit, Caller caller, string stableId) =>
        await unit.Connection.QuerySingleOrDefaultAsync<DocumentFile>(
            $"SELECT {Columns} {From} WHERE f.stable_id = @stableId AND {Visible}",
            new
            {
                stableId,
                userId = caller.UserId,
                all = CollectionRows.All(caller),
            },
            unit.Transaction
        ) ?? throw DocumentErrors.NoFile(stableId);

    public static Task<DocumentFile> RequireAsync(IUnitOfWork unit, Caller caller, string stableId) =>
        RequireAsync(unit.Connection, unit.Transaction, caller, stableId);

    /// <summary>Returns the collection of a file without an access check; null if the file does not exist or was deleted.</summary>
    public static Task<string?> CollectionOfAsync(IUnitOfWork unit, string stableId) =>
        unit.Connection.ExecuteScalarAsync<string?>(
            $"SELECT d.collection_id {From} WHERE f.stable_id = @stableId AND f.deleted_at IS NULL",
            new { stableId },
            unit.Transaction
        );

    public static Task<byte[]> ContentAsync(DbConnection connection, DbTransaction? transaction, string stableId) =>
        connection.ExecuteScalarAsync<byte[]>(
            "SELECT content FROM documents_content WHERE stable_id = @stableId",
            new { stableId },
            transaction
        )!;

    // Sorts in memory, because the databases order non-ASCII letters differently.
    public static async Task<IReadOnlyList<DocumentFile>> ListAsync(DbConnection connection, Caller caller, string? variant)
    {
        var files = await connection.QueryAsync<DocumentFile>(
            $"SELECT {Columns} {From} WHERE f.deleted_at IS NULL AND {Visible} AND (@variant IS NULL OR f.variant = @variant OR f.kind = 'pdf')",
            new
            {
                variant,
                userId = caller.UserId,
                all = CollectionRows.All(caller),
            }
        );
        return
        [
            .. files
                .OrderBy(f => f.CollectionId, StringComparer.Ordinal)
                .ThenBy(f => FoldedText.SortKey(f.Title), StringComparer.Ordinal)
                .ThenBy(f => f.DocumentId, StringComparer.Ordinal)
                .ThenByDescending(f => f.IsGold)
                .ThenBy(f => FoldedText.SortKey(f.Variant), StringComparer.Ordinal)
                .ThenByDescending(f => f.Number),
        ];
    }

    public static async Task<IReadOnlyList<VersionView>> HistoryAsync(DbConnection connection, DocumentFile of, Caller caller)
    {
        var rows = await connection.QueryAsync<HistoryRow>(
            "SELECT stable_id AS StableId, number AS Number, label AS Label, is_gold AS IsGold, owner_id AS OwnerId, owner_name AS OwnerName, "
                + "changed_by AS ChangedBy, created_at AS CreatedAt, changed_at AS ChangedAt, size AS Size, deleted_at AS DeletedAt, deleted_by AS DeletedBy FROM documents_file "
                + "WHERE document_id = @DocumentId AND kind = @Kind AND variant = @Variant ORDER BY number DESC LIMIT 1000",
            of
        );
        return
        [
            .. rows.Select(r => new VersionView(
                r.StableId,
                r.Number,
                r.Label,
                r.IsGold != 0,
                r.OwnerName,
                r.ChangedBy,
                Time(r.CreatedAt),
                Time(r.ChangedAt),
                r.Size,
                r.DeletedAt is { } at ? Time(at) : null,
                r.DeletedBy,
                r.DeletedAt is not null && DocumentRights.MayDelete(caller, r.OwnerId)
            )),
        ];
    }

    /// <summary>
    /// Returns the next number of a document and variant. Counts deleted versions, so that numbers are not reused. The number is unique,
    /// because the transaction that inserts the file reads it, and write transactions are serial.
    /// </summary>
    public static Task<long> NextNumberAsync(IUnitOfWork unit, string documentId, string kind, string variant) =>
        unit.Connection.ExecuteScalarAsync<long>(
            "SELECT COALESCE(MAX(number), 0) + 1 FROM documents_file WHERE document_id = @documentId AND kind = @kind AND variant = @variant",
            new
            {
                documentId,
                kind,
                variant,
            },
            unit.Transaction
        );

    public static Task<long> OwnBytesAsync(IUnitOfWork unit, string userId) =>
        unit.Connection.ExecuteScalarAsync<long>(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM documents_file WHERE owner_id = @userId",
            new { userId },
            unit.Transaction
        );

    public static Task<string?> GoldOfAsync(IUnitOfWork unit, string documentId, string variant) =>
        unit.Connection.ExecuteScalarAsync<string?>(
            "SELECT stable_id FROM documents_file WHERE document_id = @documentId AND variant = @variant AND is_gold = 1 AND deleted_at IS NULL",
            new { documentId, variant },
            unit.Transaction
        );

    public static Task InsertDocumentAsync(IUnitOfWork unit, string id, string collectionId, string title) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO documents_document (id, collection_id, title, created_at) VALUES (@id, @collectionId, @title, @now)",
            new
            {
                id,
                collectionId,
                title,
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );

    public static async Task InsertAsync(IUnitOfWork unit, DocumentFile added, byte[] content)
    {
        await unit.Connection.ExecuteAsync(
            "INSERT INTO documents_file (stable_id, document_id, kind, variant, number, is_gold, label, owner_id, owner_name, changed_by, created_at, "
                + "changed_at, revision, size) VALUES (@StableId, @DocumentId, @Kind, @Variant, @Number, @IsGold, @Label, @OwnerId, @OwnerName, @ChangedBy, "
                + "@CreatedAt, @ChangedAt, @Revision, @Size)",
            added,
            unit.Transaction
        );
        await unit.Connection.ExecuteAsync(
            "INSERT INTO documents_content (stable_id, content) VALUES (@StableId, @content)",
            new { added.StableId, content },
            unit.Transaction
        );
        if (added.Kind == FileKind.Text)
            await TextIndex.SaveAsync(unit, added.StableId, added.Revision, content);
    }

    public static async Task ReplaceAsync(IUnitOfWork unit, string stableId, byte[] content, string changedBy, long revision)
    {
        await unit.Connection.ExecuteAsync(
            "UPDATE documents_file SET changed_by = @changedBy, changed_at = @now, revision = @revision, size = @size WHERE stable_id = @stableId",
            new
            {
                stableId,
                changedBy,
                revision,
                size = (long)content.Length,
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );
        await unit.Connection.ExecuteAsync(
            "UPDATE documents_content SET content = @content WHERE stable_id = @stableId",
            new { stableId, content },
            unit.Transaction
        );
        await TextIndex.SaveAsync(unit, stableId, revision, content);
    }

    public static async Task PromoteAsync(IUnitOfWork unit, DocumentFile file)
    {
        await unit.Connection.ExecuteAsync(
            "UPDATE documents_file SET is_gold = 0 WHERE document_id = @DocumentId AND variant = @Variant AND is_gold = 1",
            file,
            unit.Transaction
        );
        await unit.Connection.ExecuteAsync("UPDATE documents_file SET is_gold = 1 WHERE stable_id = @StableId", file, unit.Transaction);
    }

    public static Task DemoteAsync(IUnitOfWork unit, DocumentFile file) =>
        unit.Connection.ExecuteAsync("UPDATE documents_file SET is_gold = 0 WHERE stable_id = @StableId", file, unit.Transaction);

    /// <returns>Whether the file was deleted.</returns>
    public static async Task<bool> RestoreAsync(IUnitOfWork unit, DocumentFile file)
    {
        var isGold = file.IsGoldStandard && await GoldOfAsync(unit, file.DocumentId, file.Variant) is null;
        return await unit.Connection.ExecuteAsync(
                "UPDATE documents_file SET deleted_at = NULL, deleted_by = NULL, is_gold = @isGold "
                    + "WHERE stable_id = @StableId AND deleted_at IS NOT NULL",
                new { file.StableId, isGold = isGold ? 1 : 0 },
                unit.Transaction
            ) > 0;
    }

    public static Task DeleteAsync(IUnitOfWork unit, string stableId, string deletedBy) =>
        unit.Connection.ExecuteAsync(
            "UPDATE documents_file SET deleted_at = @now, deleted_by = @deletedBy WHERE stable_id = @stableId",
            new
            {
                stableId,
                deletedBy,
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );

    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed class HistoryRow
    {
        public string StableId { get; init; } = "";
        public long Number { get; init; }
        public string Label { get; init; } = "";
        public long IsGold { get; init; }
        public string OwnerId { get; init; } = "";
        public string OwnerName { get; init; } = "";
        public string ChangedBy { get; init; } = "";
        public long CreatedAt { get; init; }
        public long ChangedAt { get; init; }
        public long Size { get; init; }
        public long? DeletedAt { get; init; }
        public string? DeletedBy { get; init; }
    }
}
