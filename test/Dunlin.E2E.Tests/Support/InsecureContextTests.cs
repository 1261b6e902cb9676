using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// The pages on plain http with a name that is not loopback: no crypto.subtle, randomUUID, Web Locks, service worker or clipboard.
/// </summary>
public sealed class InsecureContextTests(BrowserFixture browser)
{
    public static TheoryData<string> Systems => [.. SystemPage.Names];

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task A_page_works_without_a_secure_context(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await OpenAsync(host, system.Path);
        await system.ReadyAsync(page);
        await SystemPage.BlockWritesAsync(page);
        await system.ChangeAsync(page);
        await page.UnrouteAllAsync();
        await page.ReloadAsync();
        await system.ReadyAsync(page);
        using var alice = await host.ClientAsync("alice");
        await system.GoesOnAsync(page, () => system.ServerAsync(alice));
    }

    [Fact]
    public async Task A_link_is_copied_without_a_clipboard()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, "/wishlists/list/demo-birthday");
        await page.Locator(".cloud").ClickAsync();
        await Expect(page.Locator("[data-needs-https]")).ToContainTextAsync("needs https");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "Share" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var link = await page.Locator("[data-field=link]").InputValueAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Locator("[data-field=add]").FocusAsync();
        await page.Keyboard.PressAsync("Control+v");
        await Expect(page.Locator("[data-field=add]")).ToHaveValueAsync(link);
    }

    private async Task<IPage> OpenAsync(TestHost host, string path)
    {
        var context = await host.ContextAsync(browser.Browser, new() { Locale = "en-GB" });
        var page = await context.NewPageAsync();
        await page.GotoAsync($"http://{BrowserFixture.InsecureName}:{host.Address.Port}{path}");
        Assert.False(await page.EvaluateAsync<bool>("() => isSecureContext"));
        await page.Locator("[data-account=alice]").ClickAsync();
        return page;
    }
}
