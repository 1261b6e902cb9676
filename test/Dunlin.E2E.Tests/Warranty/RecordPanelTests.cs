using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>The panel with all fields of one case and its history.</summary>
public sealed class RecordPanelTests(BrowserFixture chromium) : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task The_space_bar_opens_a_case_whose_fields_and_history_can_be_edited()
    {
        var (bob, carol) = (
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob"),
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "carol")
        );
        await bob.Cell(20, "customerName").FocusAsync();
        await bob.Page.Keyboard.PressAsync(" ");
        var panel = bob.Page.Locator("dialog.record");
        await Expect(panel.Locator("[data-panel-field]")).ToHaveCountAsync(13);
        Assert.EndsWith("/branch/1?case=20", bob.Page.Url, StringComparison.Ordinal);
        await carol.EditAsync(20, "invoice");
        await Expect(panel.Locator("[data-panel-field=invoice]")).ToContainTextAsync("Locked by Carol Carter");

        var before = (await bob.Cell(20, "remarks").GetAttributeAsync("data-value"))!;
        var field = panel.Locator("[data-panel-field=remarks]");
        await field.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(carol.Lock(20, "remarks")).ToHaveAttributeAsync("title", "Locked by Bob Baker");
        await field.GetByRole(AriaRole.Textbox).FillAsync("Called twice");
        await bob.Page.Keyboard.PressAsync("Enter");
        await carol.ShowsAsync(20, "remarks", "Called twice");
        await Expect(field.GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await Expect(panel.Locator(".history ins").First).ToHaveTextAsync("Called twice");
        await Expect(panel.Locator(".history del").First).ToHaveTextAsync(before.Length == 0 ? "empty" : before);
        await bob.Page.PictureAsync("warranty-record");

        await field.GetByRole(AriaRole.Button).ClickAsync();
        await field.GetByRole(AriaRole.Textbox).FillAsync("Not this");
        await bob.Page.Keyboard.PressAsync("Escape");
        await Expect(field).ToHaveAttributeAsync("data-value", "Called twice");
        await bob.Page.Keyboard.PressAsync("Escape");
        await Expect(panel).ToHaveCountAsync(0);
        Assert.EndsWith("/branch/1", bob.Page.Url, StringComparison.Ordinal);
        await Expect(bob.Cell(20, "customerName")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task An_address_opens_its_case_and_fills_the_screen_of_a_phone()
    {
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 320, Height = 700 },
        };
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/branch/1?search=nothing-has-this&case=5", options);
        var panel = page.Locator("dialog.record");
        await Expect(panel.Locator("[data-panel-field]")).ToHaveCountAsync(13);
        var box = (await panel.BoundingBoxAsync())!;
        Assert.Equal((0, 320), (box.X, box.Width));
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await page.PictureAsync("warranty-record-phone");
        await panel.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(panel).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all cases" }).ClickAsync();
        await page.PictureAsync("warranty-phone");
        await page.Locator("[data-case-row='20'] [data-action=open]").ClickAsync();
        await Expect(panel).ToBeVisibleAsync();
        await page.GoBackAsync();
        await Expect(panel).ToHaveCountAsync(0);

        await page.GotoAsync(new Uri(_host.Address, "/branch/1?case=45").ToString());
        await Expect(page.Locator(".toast")).ToContainTextAsync("The case could not be opened");
    }

    [Fact]
    public async Task A_case_is_deleted_and_transferred_from_its_panel()
    {
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var panel = bob.Page.Locator("dialog.record");
        foreach (var (id, action) in new[] { (20, "Delete"), (19, "Transfer") })
        {
            await bob.Page.Locator($"[data-case-row='{id}'] [data-action=open]").ClickAsync();
            await panel.GetByRole(AriaRole.Button, new() { Name = action }).First.ClickAsync();
            await bob.Page.Locator("dialog:not(.record)").GetByRole(AriaRole.Button, new() { Name = action, Exact = true }).ClickAsync();
            await Expect(bob.Page.Locator($"[data-case-row='{id}']")).ToHaveCountAsync(0);
            await Expect(panel).ToHaveCountAsync(0);
        }
        await Expect(bob.Page.Locator(".pager")).ToContainTextAsync("18 cases");
    }
}
