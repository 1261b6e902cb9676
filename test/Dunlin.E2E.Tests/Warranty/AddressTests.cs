using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>What the address of the warranty page keeps.</summary>
public sealed class AddressTests(BrowserFixture chromium) : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Search_sort_and_page_survive_reload_back_forward_and_sharing()
    {
        using var client = await _host.ClientAsync("bob");
        for (var i = 10; i < 70; i++)
            (await client.PostAsJsonAsync("/api/warranty/branches/1/cases", new { customerName = $"Visitor {i}" })).Dispose();
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var page = bob.Page;
        var search = page.GetByRole(AriaRole.Searchbox);
        await page.GetByRole(AriaRole.Button, new() { Name = "Next page" }).ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(Ends("/branch/1?page=2"));
        await page.GetByRole(AriaRole.Columnheader, new() { Name = "Customer name" }).GetByRole(AriaRole.Button).First.ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(Ends("/branch/1?sort=customerName"));
        await search.FillAsync("Visitor 1");
        await Assertions.Expect(page).ToHaveURLAsync(Ends("/branch/1?search=Visitor+1&sort=customerName"));
        await ShowsVisitorsAsync(page);

        await page.ReloadAsync();
        await ShowsVisitorsAsync(page);
        await Expect(search).ToHaveValueAsync("Visitor 1");
        await page.GoBackAsync();
        await Expect(search).ToHaveValueAsync("");
        await Expect(page.Locator(".pager")).ToContainTextAsync("80 cases");
        await page.GoBackAsync();
        await Expect(page.Locator(".pager")).ToContainTextAsync("Page 2");
        await page.GoForwardAsync();
        await page.GoForwardAsync();
        await ShowsVisitorsAsync(page);

        var carol = await _host.OpenAsync(chromium.Browser, "carol", new Uri(page.Url).PathAndQuery);
        await ShowsVisitorsAsync(carol);
    }

    private static async Task ShowsVisitorsAsync(IPage page)
    {
        await Expect(page.Locator("[data-case-row]")).ToHaveCountAsync(10);
        await Expect(page.Locator("[data-field=customerName]").First).ToHaveAttributeAsync("data-value", "Visitor 10");
    }

    private static Regex Ends(string address) => new(Regex.Escape(address) + "$", RegexOptions.None, TimeSpan.FromSeconds(1));
}
