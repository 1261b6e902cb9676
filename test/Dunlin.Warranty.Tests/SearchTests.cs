using System.Text.Json;
using Dapper;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Warranty.Tests;

/// <summary>Search and order of non-ASCII texts are equal on both stores.</summary>
public sealed class SearchTests : IAsyncLifetime
{
    private Branch _branch = null!;
    private User _bob = null!;

    public async ValueTask InitializeAsync()
    {
        _branch = await Branch.OpenAsync();
        _bob = _branch.As("bob");
    }

    public async ValueTask DisposeAsync()
    {
        _bob.Dispose();
        await _branch.DisposeAsync();
    }

    [Theory]
    [InlineData("Анна Каренина", "анна")]
    [InlineData("Анна Каренина", "КАРЕНИНА")]
    [InlineData("Jürgen MÜLLER", "müller")]
    [InlineData("Jürgen Müller", "MÜLLER")]
    [InlineData("Caf\u00e9 Noir", "cafe\u0301")]
    [InlineData("Cafe\u0301 Noir", "CAF\u00c9")]
    [InlineData("Stra\u00dfenbahn", "STRASSE")]
    [InlineData("\u0399\u03a3\u039f\u03a3", "\u03b9\u03c3\u03bf\u03c2")]
    [InlineData("\ud55c\uae00", "\u1112\u1161\u11ab")]
    public async Task A_search_ignores_case_and_Unicode_composition(string name, string search)
    {
        await _bob.PatchAsync(7, new { customerName = name });
        Assert.Equal([7], await FoundAsync(search));
        await _bob.PatchAsync(7, new { customerName = "Nobody", issues = name });
        Assert.Equal([7], await FoundAsync(search));
        await _bob.PatchAsync(7, new { issues = "None" });
        Assert.Empty(await FoundAsync(search));
    }

    [Fact]
    public async Task Cases_are_filtered_by_any_of_several_statuses_and_staff()
    {
        foreach (var (id, status, staff) in new[] { (3, "COMPLETED", "Zoë"), (5, "WAITING_FOR", "Zoë"), (7, "COMPLETED", "Zed, jr.") })
            await _bob.PatchAsync(id, new { status, staff });
        Assert.Equal([3, 5], await FilteredAsync("staff=Zo%C3%AB"));
        Assert.Equal([3, 5, 7], await FilteredAsync("staff=Zo%C3%AB&staff=Zed,%20jr."));
        Assert.Equal([3, 7], await FilteredAsync("staff=Zo%C3%AB&staff=Zed,%20jr.&status=COMPLETED"));
        Assert.Equal([3, 5], await FilteredAsync("staff=Zo%C3%AB&status=COMPLETED&status=WAITING_FOR"));
        Assert.Empty(await FilteredAsync("staff=Zo%C3%AB&status=IN_QUEUE"));
        await _bob.PatchAsync(7, new { staff = "" });
        Assert.Contains(7, await FilteredAsync("staff="));
        var staffed = await _bob.DoAsync("GET", "branches/1/staff");
        Assert.Contains("Zoë", staffed.EnumerateArray().Select(name => name.GetString()));
        Assert.DoesNotContain("", staffed.EnumerateArray().Select(name => name.GetString()));
        var tooMany = string.Join('&', Enumerable.Range(0, 51).Select(i => $"staff={i}"));
        await _bob.RefusedAsync(400, "invalid_field", "GET", $"branches/1/cases?{tooMany}");
    }

    [Fact]
    public async Task A_case_is_read_alone_by_the_people_of_its_branch()
    {
        using var dave = _branch.As("dave");
        var found = await _bob.DoAsync("GET", "cases/7");
        Assert.Equal((7, 1), (found.GetProperty("id").GetInt32(), found.GetProperty("branchId").GetInt32()));
        await dave.RefusedAsync(403, "forbidden", "GET", "cases/7");
        await dave.RefusedAsync(403, "forbidden", "GET", "branches/1/staff");
        await _bob.RefusedAsync(404, "not_found", "GET", "cases/99999");
        await _bob.RefusedAsync(404, "not_found", "GET", "branches/99999/staff");
    }

    [Theory]
    [InlineData("100%_\\ Ö", "0%_\\ ö", true)]
    [InlineData("100 Ö", "0%_", false)]
    [InlineData("a\\b", "a\\b", true)]
    [InlineData("Ann", "n b", false)]
    public async Task Wildcards_are_literals_and_no_match_spans_two_fields(string name, string search, bool isFound)
    {
        await _bob.PatchAsync(7, new { customerName = name, customerContact = "b" });
        Assert.Equal(isFound ? [7] : [], await FoundAsync(search));
    }

    [Fact]
    public async Task Cases_sort_alike_on_both_stores()
    {
        string[] names =
        [
            "Ångström",
            "apfel",
            "Äpfel",
            "Émile",
            "Emma",
            "łódź",
            "müller",
            "Østberg",
            "Zoë",
            "анна",
            "Ёлка",
            "Иван",
            "Йошкар",
        ];
        for (var i = 0; i < names.Length; i++)
            await _bob.PatchAsync(names.Length - i, new { customerName = names[i], staff = names[i] });
        foreach (var field in new[] { "customerName", "staff" })
        {
            var sorted = (await PageAsync($"?limit=100&sort={field}"))
                .Select(item => item.GetProperty(field).GetString()!)
                .Where(names.Contains);
            Assert.Equal(names, sorted);
            var reversed = (await PageAsync($"?limit=100&sort=-{field}"))
                .Select(item => item.GetProperty(field).GetString()!)
                .Where(names.Contains);
            Assert.Equal(names.Reverse(), reversed);
        }
    }

    [Fact]
    public async Task Cases_of_an_older_version_are_found_after_the_next_start()
    {
        await _bob.PatchAsync(7, new { customerName = "Анна" });
        await _bob.PatchAsync(8, new { customerName = "Анна" });
        var store = _branch.Services.GetRequiredService<IStore>();
        await store.WriteAsync(
            async (unit, _) =>
                await unit.Connection.ExecuteAsync(
                    "UPDATE warranty_case SET search_text = NULL, customer_name_sort = NULL, search_version = NULL",
                    transaction: unit.Transaction
                )
        );
        // Writes as a node of the older version does while the new one runs.
        await store.WriteAsync(
            async (unit, _) =>
                await unit.Connection.ExecuteAsync(
                    "UPDATE warranty_case SET customer_name = 'Ёлка', version = version + 1, search_text = 'old', search_version = version WHERE id = 8",
                    transaction: unit.Transaction
                )
        );
        Assert.Empty(await FoundAsync("анна"));
        foreach (var service in _branch.Services.GetServices<IHostedService>().Where(service => service.GetType().Name == "CaseSearch"))
            await service.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal([7], await FoundAsync("анна"));
        Assert.Equal([8], await FoundAsync("ёлка"));
        Assert.Equal(
            60,
            await store.ReadAsync(
                async (scope, _) =>
                    await scope.Connection.ExecuteScalarAsync<long>(
                        "SELECT COUNT(*) FROM warranty_case WHERE search_text IS NOT NULL AND search_version = version"
                    )
            )
        );
    }

    private async Task<List<int>> FoundAsync(string search) =>
        [.. (await PageAsync("?limit=100&search=" + Uri.EscapeDataString(search))).Select(item => item.GetProperty("id").GetInt32())];

    private async Task<IEnumerable<JsonElement>> PageAsync(string query) =>
        (await _bob.DoAsync("GET", "branches/1/cases" + query)).GetProperty("items").EnumerateArray();

    private async Task<IEnumerable<int>> FilteredAsync(string query)
    {
        var page = await _bob.DoAsync("GET", $"branches/1/cases?sort=serviceNo&{query}");
        return page.GetProperty("items").EnumerateArray().Select(found => found.GetProperty("id").GetInt32());
    }
}
