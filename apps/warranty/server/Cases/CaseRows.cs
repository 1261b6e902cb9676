using System.Data.Common;
using Dapper;
using Dunlin.Apps.Warranty.Search;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>The SQL of the cases, for reads and inside units of work.</summary>
internal static class CaseRows
{
    private const string Columns =
        "id, branch_id AS BranchId, service_no AS ServiceNo, status, customer_name AS CustomerName, customer_contact AS CustomerContact, "
        + "customer_email AS CustomerEmail, address, purchase_date AS PurchaseDate, invoice, received_items AS ReceivedItems, issues, solutions, "
        + "remarks, cost, staff, version, created_at AS CreatedAt";

    public static async Task<Case> RequireAsync(DbConnection connection, DbTransaction? transaction, long id) =>
        await connection.QuerySingleOrDefaultAsync<Case>(
            $"SELECT {Columns} FROM warranty_case WHERE id = @id AND deleted_at IS NULL",
            new { id },
            transaction
        ) ?? throw new DunlinException(ErrorCode.NotFound, $"No case with id {id}.");

    public static Task<Case> RequireAsync(IUnitOfWork unit, long id) => RequireAsync(unit.Connection, unit.Transaction, id);

    /// <summary>Returns the branch of a case; null if the case does not exist or was deleted.</summary>
    public static Task<long?> BranchOfAsync(DbConnection connection, DbTransaction? transaction, long id) =>
        connection.ExecuteScalarAsync<long?>(
            "SELECT branch_id FROM warranty_case WHERE id = @id AND deleted_at IS NULL",
            new { id },
            transaction
        );

    /// <summary>Throws if a branch has the maximum number of cases.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>.</exception>
    public static async Task RequireRoomAsync(IUnitOfWork unit, long branchId)
    {
        var count = await unit.Connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM warranty_case WHERE branch_id = @branchId AND deleted_at IS NULL",
            new { branchId },
            unit.Transaction
        );
        if (count >= WarrantyLimits.Cases)
            throw DunlinException.Limit(WarrantyLimits.Cases, "cases for each branch; delete some first");
    }

    public static async Task<IReadOnlyList<Branch>> BranchesAsync(DbConnection connection, string userId, bool all) =>
        [
            .. await connection.QueryAsync<Branch>(
                "SELECT id, code, name FROM warranty_branch b WHERE @all = 1 OR EXISTS "
                    + "(SELECT 1 FROM warranty_member m WHERE m.branch_id = b.id AND m.user_id = @userId) ORDER BY id",
                new { userId, all = all ? 1 : 0 }
            ),
        ];

    public static Task<Branch?> BranchAsync(DbConnection connection, DbTransaction? transaction, long id) =>
        connection.QuerySingleOrDefaultAsync<Branch>("SELECT id, code, name FROM warranty_branch WHERE id = @id", new { id }, transaction);

    public static async Task<bool> IsMemberAsync(DbConnection connection, DbTransaction? transaction, long branchId, string userId) =>
        await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM warranty_member WHERE branch_id = @branchId AND user_id = @userId",
            new { branchId, userId },
            transaction
        ) > 0;

    public static async Task<(IReadOnlyList<Case> Items, long Total)> PageAsync(DbConnection connection, long branchId, CaseQuery query)
    {
        var parameters = new DynamicParameters(
            new
            {
                branchId,
                pattern = query.Pattern,
                limit = query.Limit,
                skip = (query.Page - 1) * query.Limit,
            }
        );
        var where =
            "branch_id = @branchId AND deleted_at IS NULL AND (@pattern = '' OR search_text LIKE @pattern ESCAPE '\\')"
            + AnyOf("status", query.Statuses, parameters)
            + AnyOf("staff", query.Staff, parameters);
        var total = await connection.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM warranty_case WHERE {where}", parameters);
        var items = await connection.QueryAsync<Case>(
            $"SELECT {Columns} FROM warranty_case WHERE {where} ORDER BY {query.OrderBy} LIMIT @limit OFFSET @skip",
            parameters
        );
        return ([.. items], total);
    }

    // One parameter for each value: Dapper expands a list on SQLite and passes an array to PostgreSQL.
    private static string AnyOf(string column, IReadOnlyList<string> values, DynamicParameters parameters)
    {
        for (var i = 0; i < values.Count; i++)
            parameters.Add(column + i, values[i]);
        return values.Count == 0 ? "" : $" AND {column} IN ({string.Join(", ", values.Select((_, i) => $"@{column}{i}"))})";
    }

    /// <summary>Returns the names in the field <c>staff</c> of a branch, without duplicates.</summary>
    public static async Task<IReadOnlyList<string>> StaffAsync(DbConnection connection, long branchId) =>
        [
            .. await connection.QueryAsync<string>(
                "SELECT staff FROM warranty_case WHERE branch_id = @branchId AND deleted_at IS NULL AND staff <> '' "
                    + "GROUP BY staff ORDER BY MIN(staff_sort), staff LIMIT 500",
                new { branchId }
            ),
        ];

    public static async Task InsertAsync(IUnitOfWork unit, Case added)
    {
        await unit.Connection.ExecuteAsync(
            "INSERT INTO warranty_case (id, branch_id, service_no, status, customer_name, customer_contact, customer_email, address, purchase_date, "
                + "invoice, received_items, issues, solutions, remarks, cost, staff, version, created_at) VALUES (@Id, @BranchId, @ServiceNo, @Status, "
                + "@CustomerName, @CustomerContact, @CustomerEmail, @Address, @PurchaseDate, @Invoice, @ReceivedItems, @Issues, @Solutions, @Remarks, "
                + "@Cost, @Staff, @Version, @CreatedAt)",
            added,
            unit.Transaction
        );
        await CaseSearch.SaveAsync(unit, added);
    }

    public static Task<long> NextIdAsync(IUnitOfWork unit) =>
        unit.Connection.ExecuteScalarAsync<long>("SELECT COALESCE(MAX(id), 0) + 1 FROM warranty_case", transaction: unit.Transaction);

    public static Task SetFieldAsync(IUnitOfWork unit, long id, CaseField field, string value) =>
        unit.Connection.ExecuteAsync(
            $"UPDATE warranty_case SET {field.Column} = @value WHERE id = @id",
            new { id, value },
            unit.Transaction
        );

    public static Task SetVersionAsync(IUnitOfWork unit, long id, long version) =>
        unit.Connection.ExecuteAsync("UPDATE warranty_case SET version = @version WHERE id = @id", new { id, version }, unit.Transaction);

    public static Task SetBranchAsync(IUnitOfWork unit, long id, long branchId, long version) =>
        unit.Connection.ExecuteAsync(
            "UPDATE warranty_case SET branch_id = @branchId, version = @version WHERE id = @id",
            new
            {
                id,
                branchId,
                version,
            },
            unit.Transaction
        );

    public static async Task DeleteAsync(IUnitOfWork unit, Case gone, long version)
    {
        await unit.Connection.ExecuteAsync(
            "UPDATE warranty_case SET deleted_at = @now, version = @version WHERE id = @Id",
            new
            {
                gone.Id,
                version,
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );
        // Keep the row with the highest id, because the next case gets the following one. Delete a few rows at a time, so that other
        // writers are not delayed.
        var oldest = (
            await unit.Connection.QueryAsync<long>(
                "SELECT id FROM (SELECT id FROM warranty_case WHERE branch_id = @BranchId AND deleted_at IS NOT NULL "
                    + "ORDER BY deleted_at DESC, id DESC LIMIT 10 OFFSET @DeletedCases) AS oldest WHERE id < (SELECT MAX(id) FROM warranty_case)",
                new { gone.BranchId, WarrantyLimits.DeletedCases },
                unit.Transaction
            )
        ).AsList();
        foreach (var id in oldest)
        {
            await unit.Connection.ExecuteAsync("DELETE FROM warranty_history WHERE case_id = @id", new { id }, unit.Transaction);
            await unit.Connection.ExecuteAsync("DELETE FROM warranty_case WHERE id = @id", new { id }, unit.Transaction);
        }
    }

    public static Task AddHistoryAsync(IUnitOfWork unit, long caseId, HistoryEntry entry) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO warranty_history (case_id, version, field, old_value, new_value, user_id, user_name, changed_at) "
                + "VALUES (@caseId, @Version, @Field, @OldValue, @NewValue, @UserId, @UserName, @ChangedAt)",
            new
            {
                caseId,
                entry.Version,
                entry.Field,
                entry.OldValue,
                entry.NewValue,
                entry.UserId,
                entry.UserName,
                entry.ChangedAt,
            },
            unit.Transaction
        );

    /// <summary>Deletes the oldest overwritten values above the limit.</summary>
    public static Task TrimHistoryAsync(IUnitOfWork unit, long caseId) =>
        unit.Connection.ExecuteAsync(
            "DELETE FROM warranty_history WHERE case_id = @caseId AND version <= (SELECT version FROM warranty_history "
                + "WHERE case_id = @caseId ORDER BY version DESC, field LIMIT 1 OFFSET @History)",
            new { caseId, WarrantyLimits.History },
            unit.Transaction
        );

    public static async Task<IReadOnlyList<HistoryEntry>> HistoryAsync(DbConnection connection, long caseId) =>
        [
            .. await connection.QueryAsync<HistoryEntry>(
                "SELECT version, field, old_value AS OldValue, new_value AS NewValue, user_id AS UserId, user_name AS UserName, changed_at AS ChangedAt "
                    + "FROM warranty_history WHERE case_id = @caseId ORDER BY version DESC, field LIMIT 500",
                new { caseId }
            ),
        ];

    /// <summary>
    /// Returns the next service number of a branch and month: <c>W{CODE}{YYMM}{###}</c>, with more digits past 999. It is unique, because
    /// the transaction that inserts the case increments the counter.
    /// </summary>
    public static async Task<string> NextServiceNoAsync(IUnitOfWork unit, Branch branch)
    {
        var month = unit.Now.ToString("yyMM", System.Globalization.CultureInfo.InvariantCulture);
        var last = await unit.Connection.ExecuteScalarAsync<long>(
            "INSERT INTO warranty_service_number (branch_id, month, last) VALUES (@id, @month, 1) "
                + "ON CONFLICT (branch_id, month) DO UPDATE SET last = warranty_service_number.last + 1 RETURNING last",
            new { id = branch.Id, month },
            unit.Transaction
        );
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"W{branch.Code}{month}{last:000}");
    }
}
