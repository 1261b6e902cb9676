using System.Text.Json;

namespace Dunlin.Warranty.Tests;

public sealed class CaseTests : IAsyncLifetime
{
    private const string IdBob = "lease-id-of-bob",
        IdCarol = "lease-id-of-carol";

    private Branch _branch = null!;
    private User _bob = null!,
        _carol = null!,
        _dave = null!;

    public async ValueTask InitializeAsync()
    {
        _branch = await Branch.OpenAsync();
        (_bob, _carol, _dave) = (_branch.As("bob"), _branch.As("carol"), _branch.As("dave"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var user in new[] { _bob, _carol, _dave })
            user.Dispose();
        await _branch.DisposeAsync();
    }

    [Fact]
    public async Task A_field_locked_by_another_is_refused_with_its_holder()
    {
        var (leaseId, fence) = await _bob.LockAsync(1, "customerName", IdBob);
        var problem = await _carol.RefusedAsync(
            423,
            "lease_held",
            "PATCH",
            "cases/1",
            new { updates = new { customerName = "X", address = "Y" } }
        );
        Assert.Equal("bob", problem.GetProperty("holder").GetProperty("userId").GetString());
        await _carol.PatchAsync(1, new { address = "Y" });
        await _bob.PatchAsync(1, new { customerName = "B" }, new { customerName = new { leaseId, fence } });
        var page = await PageAsync();
        Assert.Equal(("B", "Y"), (Field(page, 1, "customerName"), Field(page, 1, "address")));
    }

    [Fact]
    public async Task A_save_with_release_ends_its_locks_and_a_refused_one_keeps_them()
    {
        var (leaseId, fence) = await _bob.LockAsync(1, "customerName", IdBob);
        var leases = new { customerName = new { leaseId, fence } };
        await _bob.RefusedAsync(
            400,
            "invalid_field",
            "PATCH",
            "cases/1",
            new
            {
                updates = new { customerName = new string('x', 101) },
                leases,
                release = true,
            }
        );
        var (held, _) = await _carol.SendAsync("PUT", "cases/1/locks/customerName", new { leaseId = IdCarol });
        Assert.Equal(423, held);
        await _bob.DoAsync(
            "PATCH",
            "cases/1",
            new
            {
                updates = new { customerName = "Last word" },
                leases,
                release = true,
            }
        );
        await _carol.LockAsync(1, "customerName", IdCarol);
        Assert.Equal("Last word", Field(await PageAsync(), 1, "customerName"));
    }

    [Fact]
    public async Task G3_A_save_with_a_stale_fencing_token_is_refused_on_a_free_field_too()
    {
        var (leaseId, fence) = await _bob.LockAsync(1, "customerName", IdBob);
        _branch.Time.Advance(TimeSpan.FromSeconds(31));
        var claim = new { customerName = new { leaseId, fence } };
        var lost = await _bob.RefusedAsync(
            409,
            "lease_lost",
            "PATCH",
            "cases/1",
            new { updates = new { customerName = "late" }, leases = claim }
        );
        Assert.Equal("expired", lost.GetProperty("reason").GetString());
        await _carol.LockAsync(1, "customerName", IdCarol);
        var taken = await _bob.RefusedAsync(
            409,
            "lease_lost",
            "PATCH",
            "cases/1",
            new { updates = new { customerName = "late" }, leases = claim }
        );
        Assert.Equal("carol", taken.GetProperty("holder").GetProperty("userId").GetString());
        await _carol.SendAsync("DELETE", "cases/1/locks/customerName", null, ("Dunlin-Lease", IdCarol));
        await _bob.RefusedAsync(409, "lease_lost", "PATCH", "cases/1", new { updates = new { customerName = "late" }, leases = claim });
        Assert.NotEqual("late", Field(await PageAsync(), 1, "customerName"));
    }

    [Fact]
    public async Task The_last_edit_wins_and_the_history_keeps_the_overwritten_value()
    {
        var before = Field(await PageAsync(), 1, "remarks");
        await _bob.PatchAsync(1, new { remarks = "first" });
        await _carol.PatchAsync(1, new { remarks = "second" });
        var history = (await _bob.DoAsync("GET", "cases/1/history"))
            .EnumerateArray()
            .Select(h =>
                (h.GetProperty("oldValue").GetString(), h.GetProperty("newValue").GetString(), h.GetProperty("userId").GetString())
            );
        Assert.Equal([("first", "second", "carol"), (before, "first", "bob")], history);
    }

    [Fact]
    public async Task An_outdated_version_is_refused_with_the_current_case()
    {
        var version = (await _bob.PatchAsync(1, new { remarks = "a" })).GetProperty("version").GetInt64();
        await _bob.RefusedAsync(
            412,
            "version_mismatch",
            "PATCH",
            "cases/1",
            new { updates = new { remarks = "b" }, version = version - 1 }
        );
        await _bob.RefusedAsync(
            412,
            "version_mismatch",
            "PATCH",
            "cases/1",
            new { updates = new { remarks = "b" } },
            ("If-Match", $"\"{version - 1}\"")
        );
        var next = await _bob.DoAsync("PATCH", "cases/1", new { updates = new { remarks = "b" }, version });
        Assert.True(next.GetProperty("version").GetInt64() > version);
        await _bob.RefusedAsync(
            400,
            "invalid_field",
            "PATCH",
            "cases/1",
            new { updates = new { remarks = "c" } },
            ("If-Match", $"{version}")
        );
        var weak = await _bob.SendAsync(
            "PATCH",
            "cases/1",
            new { updates = new { remarks = "c" } },
            ("If-Match", $"\"{version}\", W/\"{next.GetProperty("version").GetInt64()}\"")
        );
        Assert.Equal(200, weak.Status);
    }

    [Theory]
    [InlineData("""{"updates":{"remarks":"x"},"leases":{"remarks":null}}""", "leases.remarks")]
    [InlineData("""{"updates":{"remarks":"x"},"leases":{"remarks":7}}""", "leases.remarks")]
    [InlineData("""{"updates":{"remarks":"x"},"leases":{"remarks":{}}}""", "leases.remarks.leaseId")]
    [InlineData("""{"updates":{"remarks":"x"},"leases":[null]}""", "leases")]
    [InlineData("""{"updates":null}""", "updates")]
    public async Task A_null_in_the_body_names_the_field(string body, string field)
    {
        var problem = await _bob.RefusedAsync(400, "invalid_field", "PATCH", "cases/1", JsonElement.Parse(body));
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("2026-02-30", "not a day of the calendar")]
    [InlineData("2025-02-29", "not a day of the calendar")]
    [InlineData("2026-13-01", "not a day of the calendar")]
    [InlineData("30.02.2026", "a date like 2026-01-31")]
    [InlineData("2026-2-3", "a date like 2026-01-31")]
    public async Task An_invalid_date_is_refused_with_the_reason(string date, string reason)
    {
        var problem = await _bob.RefusedAsync(400, "invalid_field", "PATCH", "cases/1", new { updates = new { purchaseDate = date } });
        Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_numbers_are_unique_and_continue_past_999()
    {
        var numbers = new HashSet<string>(StringComparer.Ordinal);
        string last = "";
        for (var i = 0; i < 990; i++)
            Assert.True(
                numbers.Add(
                    last = (await _bob.DoAsync("POST", "branches/1/cases", new { customerName = "N" }))
                        .GetProperty("serviceNo")
                        .GetString()!
                )
            );
        Assert.Equal("WHQ30011010", last);
        var parallel = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => _carol.DoAsync("POST", "branches/1/cases", new { status = "IN_QUEUE" }))
        );
        Assert.All(parallel, created => Assert.True(numbers.Add(created.GetProperty("serviceNo").GetString()!)));
    }

    [Fact]
    public async Task A_case_that_another_edits_is_neither_deleted_nor_transferred()
    {
        await _bob.LockAsync(1, "remarks", IdBob);
        await _carol.RefusedAsync(423, "lease_held", "DELETE", "cases/1");
        await _carol.RefusedAsync(423, "lease_held", "POST", "cases/1/transfer", new { toBranchId = 2 });
        await _bob.DoAsync("DELETE", "cases/1");
        await _bob.RefusedAsync(404, "not_found", "PATCH", "cases/1", new { updates = new { remarks = "x" } });
        Assert.DoesNotContain(Items(await PageAsync()), c => c.GetProperty("id").GetInt32() == 1);
        var moved = await _bob.DoAsync("POST", "cases/2/transfer", new { toBranchId = 2 });
        Assert.Equal(2, moved.GetProperty("branchId").GetInt32());
        await _carol.RefusedAsync(403, "forbidden", "GET", "cases/2/history");
    }

    [Theory]
    [InlineData("12,50", "12.50")]
    [InlineData("12.5", "12.50")]
    [InlineData(" 12, ", "12.00")]
    [InlineData("1.234,50", "1234.50")]
    [InlineData("1,234.50", "1234.50")]
    [InlineData("1.234.567", "1234567.00")]
    [InlineData("1\u202F234,5", "1234.50")]
    [InlineData("12'345'678.90", "12345678.90")]
    [InlineData("99999999,99", "99999999.99")]
    public async Task A_cost_accepts_a_decimal_comma_or_point(string typed, string kept)
    {
        await _bob.PatchAsync(1, new { cost = typed });
        Assert.Equal(kept, Field(await PageAsync("?limit=100"), 1, "cost"));
    }

    [Fact]
    public async Task Search_covers_several_fields_and_treats_wildcards_literally()
    {
        await _bob.PatchAsync(1, new { customerName = "100% Ünique_Name" });
        Assert.Equal([1], Ids(await PageAsync("?search=Ünique_")));
        Assert.Empty(Ids(await PageAsync("?search=Uniq%25e")));
        Assert.Equal([1], Ids(await PageAsync("?search=100%25")));
        var sorted = Items(await PageAsync("?sort=customerName&limit=100"))
            .Select(c => c.GetProperty("customerName").GetString()!)
            .ToList();
        Assert.Equal(sorted.Order(StringComparer.Ordinal), sorted);
        var second = await PageAsync("?page=2&limit=15");
        Assert.Equal((5, 20), (Ids(second).Count, second.GetProperty("total").GetInt32()));
    }

    [Theory]
    [InlineData("GET", "branches/1/cases?limit=0", null, 400, "invalid_field", "limit")]
    [InlineData("GET", "branches/1/cases?limit=101", null, 400, "invalid_field", "limit")]
    [InlineData("GET", "branches/1/cases?page=x", null, 400, "invalid_field", "page")]
    [InlineData("GET", "branches/1/cases?sort=secret", null, 400, "invalid_field", "sort")]
    [InlineData("GET", "branches/99/cases", null, 404, "not_found", null)]
    [InlineData("GET", "branches/3/cases", null, 403, "forbidden", null)]
    [InlineData("GET", "branches/x/cases", null, 404, "not_found", null)]
    [InlineData("PATCH", "cases/1", "{", 400, "invalid_json", null)]
    [InlineData("PATCH", "cases/1", "{}", 400, "invalid_field", "updates")]
    [InlineData("PATCH", "cases/1", """{"updates":{}}""", 400, "invalid_field", "updates")]
    [InlineData("PATCH", "cases/1", """{"updates":{"serviceNo":"W1"}}""", 400, "unknown_field", "serviceNo")]
    [InlineData("PATCH", "cases/1", """{"updates":{"id":3}}""", 400, "unknown_field", "id")]
    [InlineData("PATCH", "cases/1", """{"updates":{"remarks":5}}""", 400, "invalid_field", "remarks")]
    [InlineData("PATCH", "cases/1", """{"updates":{"status":"DONE"}}""", 400, "invalid_field", "status")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":"-1"}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":1.234}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":"1,234"}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":"1,234,50"}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":"1.2.3"}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"cost":100000000}}""", 400, "invalid_field", "cost")]
    [InlineData("PATCH", "cases/1", """{"updates":{"purchaseDate":"31.01.2026"}}""", 400, "invalid_field", "purchaseDate")]
    [InlineData("PATCH", "cases/1", """{"updates":{"purchaseDate":"2026-02-30"}}""", 400, "invalid_field", "purchaseDate")]
    [InlineData("PATCH", "cases/1", """{"updates":{"customerEmail":"nobody"}}""", 400, "invalid_field", "customerEmail")]
    [InlineData("PATCH", "cases/1", """{"updates":{"remarks":"x"},"force":true}""", 400, "unknown_field", "force")]
    [InlineData(
        "PATCH",
        "cases/1",
        """{"updates":{"remarks":"x"},"leases":{"remarks":{"leaseId":"lease-id-of-bob","fence":1}}}""",
        409,
        "lease_lost",
        null
    )]
    [InlineData("PATCH", "cases/999", """{"updates":{"remarks":"x"}}""", 404, "not_found", null)]
    [InlineData("PATCH", "cases/41", """{"updates":{"remarks":"x"}}""", 403, "forbidden", null)]
    [InlineData("POST", "branches/1/cases", """{"colour":"red"}""", 400, "unknown_field", "colour")]
    [InlineData("POST", "cases/1/transfer", """{"toBranchId":99}""", 404, "not_found", "toBranchId")]
    [InlineData("POST", "cases/1/transfer", """{"toBranchId":1}""", 400, "invalid_field", "toBranchId")]
    [InlineData("PUT", "cases/1/locks/secret", """{"leaseId":"lease-id-of-bob"}""", 400, "unknown_field", "secret")]
    [InlineData("PUT", "cases/1/locks/remarks", """{"leaseId":"x"}""", 400, "invalid_field", "leaseId")]
    [InlineData("PUT", "cases/41/locks/remarks", """{"leaseId":"lease-id-of-bob"}""", 403, "forbidden", null)]
    [InlineData("POST", "cases/1/locks/remarks", """{"leaseId":"lease-id-of-bob","fence":1}""", 409, "lease_lost", null)]
    [InlineData("DELETE", "cases/1/locks/remarks", null, 400, "invalid_field", "leaseId")]
    public async Task An_invalid_request_names_its_field_and_changes_nothing(
        string method,
        string path,
        string? body,
        int status,
        string code,
        string? field
    )
    {
        var head = _branch.Journal.Head;
        var problem = await _bob.RefusedAsync(status, code, method, path, body);
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Equal(head, _branch.Journal.Head);
    }

    [Fact]
    public async Task Too_long_values_large_bodies_and_anonymous_requests_are_refused()
    {
        await _bob.RefusedAsync(400, "invalid_field", "PATCH", "cases/1", new { updates = new { customerName = new string('x', 101) } });
        await _bob.PatchAsync(1, new { customerName = new string('x', 100) });
        await _bob.RefusedAsync(413, "too_large", "PATCH", "cases/1", new { updates = new { remarks = new string('x', 70_000) } });
        using var nobody = _branch.As(null);
        await nobody.RefusedAsync(401, "not_signed_in", "GET", "branches");
        await nobody.RefusedAsync(401, "not_signed_in", "PATCH", "cases/1", new { updates = new { remarks = "x" } });
    }

    private static string? Field(JsonElement page, int id, string field) =>
        Items(page).Single(c => c.GetProperty("id").GetInt32() == id).GetProperty(field).GetString();

    private static IEnumerable<JsonElement> Items(JsonElement page) => page.GetProperty("items").EnumerateArray();

    private static List<int> Ids(JsonElement page) => [.. Items(page).Select(c => c.GetProperty("id").GetInt32())];

    private Task<JsonElement> PageAsync(string query = "?limit=100") => _bob.DoAsync("GET", "branches/1/cases" + query);
}
