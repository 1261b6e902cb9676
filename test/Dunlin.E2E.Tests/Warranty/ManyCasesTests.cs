using Dapper;
using Dunlin.E2E.Tests.Support;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>A branch with 10,000 cases.</summary>
public sealed class ManyCasesTests(BrowserFixture chromium) : IAsyncLifetime
{
    private const int Cases = 10_000;

    // Rows of the window, rows beyond its edges, and the row with the focus.
    private const int MaxRows = 60;

    private TestHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        // Copies of the first case, newer than all others. Requests would take minutes.
        await _host
            .Services.GetRequiredService<IStore>()
            .WriteAsync(
                async (unit, _) =>
                    await unit.Connection.ExecuteAsync(
                        """
                        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < @Cases)
                        INSERT INTO warranty_case (id, branch_id, service_no, status, customer_name, customer_contact, customer_email,
                          address, purchase_date, invoice, received_items, issues, solutions, remarks, cost, staff, version, created_at,
                          search_text, customer_name_sort, search_version)
                        SELECT 1000 + n, 1, 'WHQ9912' || n, status, 'Bulk ' || n, '', '', '', '', '', '', issues, '', '', '', '', version,
                          created_at, 'bulk ' || n, 'bulk ' || n, version
                        FROM number, warranty_case WHERE id = 1
                        """,
                        new { Cases },
                        unit.Transaction
                    ),
                TestContext.Current.CancellationToken
            );
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Ten_thousand_cases_keep_few_rows_and_keys_reach_the_last_one()
    {
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var page = bob.Page;
        var rows = page.Locator(".cases tr[data-row]");
        await Expect(page.Locator(".pager")).ToContainTextAsync("10020 cases");
        await Expect(page.GetByRole(AriaRole.Grid)).ToHaveAttributeAsync("aria-rowcount", "10021");
        await bob.Cell(1000 + Cases, "status").FocusAsync();
        await page.Keyboard.PressAsync("Control+End");
        await Expect(bob.Cell(1, "remarks")).ToBeFocusedAsync();
        await Expect(bob.Cell(1, "remarks")).ToBeInViewportAsync();
        Assert.InRange(await rows.CountAsync(), 1, MaxRows);
        await page.PictureAsync("warranty-last-row");
        var editor = await bob.EditAsync(1, "customerName");
        await editor.FillAsync("The very last");
        await editor.PressAsync("Enter");
        await bob.ShowsAsync(1, "customerName", "The very last");

        // Wheel through the middle: rows are loaded where the window stands, and the address says where.
        await page.Mouse.MoveAsync(400, 400);
        for (var i = 0; i < 20; i++)
            await page.Mouse.WheelAsync(0, -8_000);
        await Expect(page.Locator("[data-case-row]:visible").First).ToBeVisibleAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("page=1[0-9]{2}$"));
        Assert.InRange(await rows.CountAsync(), 1, MaxRows);
        await page.ReloadAsync();
        await bob.IsLiveAsync();
        await Expect(page.Locator("[data-case-row]").First).ToBeVisibleAsync();
        Assert.InRange(int.Parse((await page.Locator("tr[data-row]").Nth(2).GetAttributeAsync("data-row"))!, null), 5_000, 10_000);
    }

    [Fact]
    public async Task A_phone_renders_few_of_ten_thousand_cards_and_reaches_the_last()
    {
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 390, Height = 844 },
        };
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/branch/1?page=201", options);
        await Expect(page.Locator("[data-case-row='20']")).ToBeVisibleAsync();
        await page.EvaluateAsync("() => scrollTo(0, document.documentElement.scrollHeight)");
        await Expect(page.Locator("[data-case-row='1']")).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".cases tr[data-row]").CountAsync(), 1, MaxRows);
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await page.PictureAsync("warranty-phone-last");
    }
}
