using System.Data.Common;
using Dapper;
using Dunlin.Apps.Text;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Collections;

/// <summary>The SQL of the collections and their members, for reads and inside units of work.</summary>
internal static class CollectionRows
{
    public static async Task<IReadOnlyList<Collection>> ListAsync(DbConnection connection, Caller caller)
    {
        var collections = await connection.QueryAsync<Collection>(
            "SELECT id, name FROM documents_collection c WHERE @all = 1 OR EXISTS "
                + "(SELECT 1 FROM documents_member m WHERE m.collection_id = c.id AND m.user_id = @userId)",
            new { userId = caller.UserId, all = All(caller) }
        );
        return [.. collections.OrderBy(c => FoldedText.SortKey(c.Name), StringComparer.Ordinal).ThenBy(c => c.Id, StringComparer.Ordinal)];
    }

    public static async Task<bool> MaySeeAsync(DbConnection connection, DbTransaction? transaction, Caller caller, string collectionId) =>
        await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM documents_collection d WHERE d.id = @collectionId AND (@all = 1 OR EXISTS "
                + "(SELECT 1 FROM documents_member m WHERE m.collection_id = d.id AND m.user_id = @userId))",
            new
            {
                collectionId,
                userId = caller.UserId,
                all = All(caller),
            },
            transaction
        ) > 0;

    /// <returns>Whether anything changed.</returns>
    public static async Task<bool> SetMemberAsync(IUnitOfWork unit, string collectionId, string userId, bool isMember) =>
        await unit.Connection.ExecuteAsync(
            isMember
                ? "INSERT INTO documents_member (collection_id, user_id) VALUES (@collectionId, @userId) ON CONFLICT DO NOTHING"
                : "DELETE FROM documents_member WHERE collection_id = @collectionId AND user_id = @userId",
            new { collectionId, userId },
            unit.Transaction
        ) > 0;

    public static Task<long> DocumentCountAsync(IUnitOfWork unit, string collectionId) =>
        unit.Connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM documents_document WHERE collection_id = @collectionId",
            new { collectionId },
            unit.Transaction
        );

    /// <summary>1 for an administrator, who sees all collections: the parameter <c>@all</c> of the statements.</summary>
    public static int All(Caller caller) => caller.IsAdministrator ? 1 : 0;
}
