using Dapper;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Warranty.Tests;

/// <summary>Limits for the stored data of a branch.</summary>
public sealed class LimitTests
{
    private const string Columns =
        "id, branch_id, service_no, status, customer_name, customer_contact, customer_email, address, purchase_date, invoice, received_items, issues, "
        + "solutions, remarks, cost, staff, version, created_at, deleted_at";

    [Fact]
    public async Task A_full_branch_accepts_no_case_until_one_is_deleted()
    {
        await using var branch = await Branch.OpenAsync();
        using var bob = branch.As("bob");
        await FillAsync(branch, 2, 50_000 - 20, "NULL");
        foreach (
            var (path, body) in new[]
            {
                ("branches/2/cases", (object)new { customerName = "N" }),
                ("cases/1/transfer", new { toBranchId = 2 }),
            }
        )
        {
            var refused = await bob.RefusedAsync(429, "limit_reached", "POST", path, body);
            Assert.Equal(50_000, refused.GetProperty("limit").GetInt32());
        }
        await bob.DoAsync("POST", "branches/1/cases", new { customerName = "N" });
        await bob.DoAsync("DELETE", "cases/21");
        await bob.DoAsync("POST", "cases/1/transfer", new { toBranchId = 2 });
    }

    [Fact]
    public async Task Deleted_cases_are_limited_and_their_numbers_are_not_reused()
    {
        await using var branch = await Branch.OpenAsync();
        using var bob = branch.As("bob");
        await bob.PatchAsync(1, new { remarks = "of the first" });
        await bob.DoAsync("DELETE", "cases/1");
        await FillAsync(branch, 1, 5_000, "99999999999999");
        await bob.DoAsync("DELETE", "cases/2");
        Assert.Equal(5_000, await CountAsync(branch, "warranty_case WHERE branch_id = 1 AND deleted_at IS NOT NULL"));
        Assert.Equal(0, await CountAsync(branch, "warranty_history WHERE case_id = 1"));
        var next = await bob.DoAsync("POST", "branches/1/cases", new { customerName = "N" });
        Assert.Equal(1_005_001, next.GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task The_history_of_a_case_keeps_the_newest_values()
    {
        await using var branch = await Branch.OpenAsync();
        using var bob = branch.As("bob");
        await ExecuteAsync(
            branch,
            "INSERT INTO warranty_history (case_id, version, field, old_value, new_value, user_id, user_name, changed_at) "
                + "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 1, -i, 'remarks', 'a', 'b', 'bob', 'bob', 0 FROM n"
        );
        await bob.PatchAsync(1, new { remarks = "newest", staff = "Mira" });
        Assert.Equal(1_000, await CountAsync(branch, "warranty_history WHERE case_id = 1"));
        var history = (await bob.DoAsync("GET", "cases/1/history")).EnumerateArray().Take(2);
        Assert.Equal(["newest", "Mira"], history.Select(entry => entry.GetProperty("newValue").GetString()));
    }

    private static Task FillAsync(Branch branch, int branchId, int count, string deletedAt) =>
        ExecuteAsync(
            branch,
            $"INSERT INTO warranty_case ({Columns}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
                + $"SELECT 1000000 + i, {branchId}, 'X' || i, 'IN_QUEUE', '', '', '', '', '', '', '', '', '', '', '', '', 1, 0, {deletedAt} FROM n"
        );

    private static async Task ExecuteAsync(Branch branch, string sql) =>
        await branch
            .Services.GetRequiredService<IStore>()
            .WriteAsync(async (unit, _) => await unit.Connection.ExecuteAsync(sql, transaction: unit.Transaction));

    private static async Task<int> CountAsync(Branch branch, string of) =>
        await branch
            .Services.GetRequiredService<IStore>()
            .ReadAsync(async (scope, _) => await scope.Connection.ExecuteScalarAsync<int>($"SELECT COUNT(*) FROM {of}"));
}
