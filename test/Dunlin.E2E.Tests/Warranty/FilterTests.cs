using System.Net.Http.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>Filters and columns of the warranty page.</summary>
public sealed class FilterTests(BrowserFixture chromium) : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Filters_by_status_and_staff_are_kept_in_the_address()
    {
        using var client = await _host.ClientAsync("bob");
        foreach (var id in new[] { 3, 7 })
        {
            var updates = new { status = id == 3 ? "COMPLETED" : "WAITING_FOR", staff = "Zoë" };
            (await client.PatchAsJsonAsync($"/api/warranty/cases/{id}", new { updates })).Dispose();
        }
        var page = (await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob")).Page;
        var rows = page.Locator("[data-case-row]");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Zoë" }).CheckAsync();
        await Expect(rows).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Completed" }).CheckAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await page.PictureAsync("warranty-filter");
        Assert.EndsWith("/branch/1?status=COMPLETED&staff=Zo%C3%AB", page.Url, StringComparison.Ordinal);

        var carol = await _host.OpenAsync(chromium.Browser, "carol", new Uri(page.Url).PathAndQuery);
        await Expect(carol.Locator("[data-case-row]")).ToHaveCountAsync(1);
        await Expect(carol.Locator("[data-case-row='3']")).ToBeVisibleAsync();
        await Expect(carol.GetByRole(AriaRole.Button, new() { Name = "Filter, 2 set" })).ToBeVisibleAsync();
        await page.GoBackAsync();
        await Expect(rows).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear filters" }).ClickAsync();
        await Expect(page.Locator(".pager")).ToContainTextAsync("20 cases");
    }

    [Fact]
    public async Task Columns_are_kept_for_their_user_and_for_no_other()
    {
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var page = bob.Page;
        var header = page.Locator("th[data-column=customerName]");
        await page.GetByRole(AriaRole.Button, new() { Name = "Columns" }).ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Contact" }).UncheckAsync();
        await page.GetByLabel("Width of Customer name").FillAsync("320");
        await page.PictureAsync("warranty-columns");
        await page.Keyboard.PressAsync("Escape");
        await Expect(bob.Cell(20, "customerContact")).ToHaveCountAsync(0);
        var handle = (await page.Locator("[data-resize=case]").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(handle.X + 4, handle.Y + 8);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(handle.X + 84, handle.Y + 8, new() { Steps = 4 });
        await page.Mouse.UpAsync();

        await page.ReloadAsync();
        await bob.IsLiveAsync();
        await Expect(bob.Cell(20, "customerContact")).ToHaveCountAsync(0);
        Assert.Equal(320, (await header.BoundingBoxAsync())!.Width, 2.0);
        Assert.InRange((await page.Locator("th[data-column=case]").First.BoundingBoxAsync())!.Width, 220, 236);

        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.Locator("[data-account=carol]").ClickAsync();
        await Expect(page.Locator("[data-user=carol]")).ToBeVisibleAsync();
        await Expect(bob.Cell(20, "customerContact")).ToBeVisibleAsync();
        Assert.NotEqual(320, Math.Round((await header.BoundingBoxAsync())!.Width));
    }
}
