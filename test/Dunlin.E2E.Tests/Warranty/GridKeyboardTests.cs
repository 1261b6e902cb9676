using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>The warranty page without a pointer.</summary>
public sealed class GridKeyboardTests(BrowserFixture chromium) : IAsyncLifetime
{
    private const string Name = "customerName";

    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Keys_move_one_focus_through_the_grid_and_edit_its_cell()
    {
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var keys = bob.Page.Keyboard;
        await Expect(bob.Page.Locator(".cases [tabindex='0']")).ToHaveCountAsync(1);
        await bob.Cell(20, "status").FocusAsync();
        await keys.PressAsync("ArrowRight");
        await Expect(bob.Cell(20, Name)).ToBeFocusedAsync();
        await keys.PressAsync("ArrowDown");
        await Expect(bob.Cell(19, Name)).ToBeFocusedAsync();
        await keys.PressAsync("End");
        await Expect(bob.Cell(19, "remarks")).ToBeFocusedAsync();
        await keys.PressAsync("Home");
        await keys.PressAsync("ArrowRight");
        await Expect(bob.Cell(19, "status")).ToBeFocusedAsync();
        await keys.PressAsync("Control+End");
        await Expect(bob.Cell(1, "remarks")).ToBeFocusedAsync();
        await Expect(bob.Cell(1, "remarks")).ToBeInViewportAsync();
        await keys.PressAsync("Control+Home");
        await keys.PressAsync("ArrowUp");
        await Expect(bob.Page.GetByRole(AriaRole.Button, new() { Name = "Service no.", Exact = true })).ToBeFocusedAsync();
        await keys.PressAsync("ArrowDown");
        await keys.PressAsync("ArrowRight");
        await keys.PressAsync("ArrowRight");
        await Expect(bob.Cell(20, Name)).ToBeFocusedAsync();
        await Expect(bob.Page.Locator(".cases [tabindex='0']")).ToHaveCountAsync(1);

        // Characters replace the value, also those that are typed while the lock is requested. Tab saves and moves on.
        await keys.TypeAsync("Zed");
        await Expect(bob.Editor(20, Name)).ToHaveValueAsync("Zed");
        await keys.PressAsync("Tab");
        await bob.ShowsAsync(20, Name, "Zed");
        await Expect(bob.Cell(20, "customerContact")).ToBeFocusedAsync();
        await keys.PressAsync("F2");
        await Expect(bob.Editor(20, "customerContact")).ToBeFocusedAsync();
        await keys.PressAsync("Shift+Tab");
        await Expect(bob.Cell(20, Name)).ToBeFocusedAsync();

        // Enter edits, Escape takes it back, and the cell keeps the focus.
        await keys.PressAsync("Enter");
        await Expect(bob.Editor(20, Name)).ToHaveValueAsync("Zed");
        await keys.TypeAsync("ina");
        await keys.PressAsync("Escape");
        await bob.ShowsAsync(20, Name, "Zed");
        await Expect(bob.Cell(20, Name)).ToBeFocusedAsync();
        using var client = await _host.ClientAsync("bob");
        var saved = await client.GetFromJsonAsync<JsonElement>("/api/warranty/cases/20");
        Assert.Equal("Zed", saved.GetProperty(Name).GetString());
    }

    [Fact]
    public async Task Sign_in_search_edit_and_save_need_only_the_keyboard()
    {
        using var client = await _host.ClientAsync("bob");
        await client.PatchAsJsonAsync("/api/warranty/cases/7", new { updates = new { customerName = "Quentin Quill" } });
        var context = await _host.ContextAsync(chromium.Browser);
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(_host.Address, "/branch/1").ToString());
        await Expect(page.Locator("[data-account=bob]")).ToBeVisibleAsync();
        await TabToAsync(page, "[data-account=bob]");
        await page.Keyboard.PressAsync("Enter");
        var bob = new WarrantyPage(page);
        await bob.IsLiveAsync();
        await TabToAsync(page, "[type=search]");
        await page.Keyboard.TypeAsync("quill");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-case-row]")).ToHaveCountAsync(1);
        await TabToAsync(page, ".cases *");
        await page.Keyboard.PressAsync("Control+Home");
        for (var i = 0; i < 6; i++)
            await page.Keyboard.PressAsync("ArrowRight");
        await Expect(bob.Cell(7, "issues")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Hums in the dark");
        await page.Keyboard.PressAsync("Enter");
        await Expect(bob.Cell(7, "issues")).ToBeFocusedAsync();
        await bob.ShowsAsync(7, "issues", "Hums in the dark");
        await Expect(bob.Cell(7, "issues")).Not.ToHaveAttributeAsync("data-pending", "");
        var saved = await client.GetFromJsonAsync<JsonElement>("/api/warranty/cases/7");
        Assert.Equal("Hums in the dark", saved.GetProperty("issues").GetString());
    }

    private static async Task TabToAsync(IPage page, string selector)
    {
        for (var i = 0; i < 40; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector))
                return;
        }
        Assert.Fail($"Tab does not reach {selector}.");
    }
}
