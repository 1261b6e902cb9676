using Dunlin.E2E.Tests.Documents;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>WCAG 2.2 AA and best practices by axe-core, for each page in its main states.</summary>
public sealed class AxeTests(BrowserFixture browser)
{
    // Pages of the host. Each is one state.
    public static TheoryData<string> HostPages =>
        ["/", "/no-such-page", "/kit", "/kit?show=gate", "/kit?show=gate-waiting", "/kit?show=unreachable", "/kit?show=sign-in"];

    public static TheoryData<string> Systems => [.. SystemPage.Names];

    [Theory]
    [MemberData(nameof(HostPages))]
    public async Task Axe_finds_no_fault_in_a_page_of_the_host(string path)
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", path, Axe.Still);
        await Expect(page.GetByRole(AriaRole.Heading).First).ToBeVisibleAsync();
        var axe = new Axe();
        if (path == "/")
            await Expect(page.Locator(".card-fact:visible")).ToHaveCountAsync(5);
        await axe.CheckAsync(page, path);
        if (path == "/")
        {
            await page.Locator(".user-button").ClickAsync();
            await axe.CheckAsync(page, "menu");
            await page.Locator("#user-menu").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
            await Expect(page.Locator("[data-account=alice]")).ToBeVisibleAsync();
            await axe.CheckAsync(page, "signed out");
        }
        axe.RequireNone();
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Axe_finds_no_fault_in_a_system_in_its_main_states(string name)
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser, Axe.Still);
        var page = await context.NewPageAsync();
        var system = SystemPage.Of(name);
        var axe = new Axe();
        await page.GotoAsync(new Uri(host.Address, system.Path).ToString());
        await Expect(page.Locator("[data-account=alice]")).ToBeVisibleAsync();
        await axe.CheckAsync(page, "signed out");
        await page.Locator("[data-account=alice]").ClickAsync();
        await system.ReadyAsync(page);
        await axe.CheckAsync(page, "ready");
        if (await page.Locator(".user-button").IsVisibleAsync())
        {
            await page.Locator(".user-button").ClickAsync();
            await axe.CheckAsync(page, "menu");
            await page.Keyboard.PressAsync("Escape");
        }
        switch (name)
        {
            case "documents":
                await DocumentsAsync(page, axe);
                break;
            case "todos":
                await TodosAsync(host, page, axe);
                break;
            case "warranty":
                await WarrantyAsync(page, axe);
                break;
            case "focus":
                await FocusAsync(page, axe);
                break;
            default:
                await WishlistsAsync(page, axe);
                break;
        }
        axe.RequireNone();
    }

    private static async Task DocumentsAsync(IPage page, Axe axe)
    {
        await page.Locator("[data-file]").First.ClickAsync();
        await new DocumentPage(page).IsEditableAsync();
        await page.Locator(".cm-content").ClickAsync();
        await axe.CheckAsync(page, "editor");
    }

    private static async Task TodosAsync(TestHost host, IPage page, Axe axe)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Share" }).First.ClickAsync();
        await axe.CheckAsync(page, "share");
        await page.GotoAsync(new Uri(host.Address, "/todos").ToString());
        await Expect(page.Locator("[data-list]").First).ToBeVisibleAsync();
        await axe.CheckAsync(page, "lists");
        await page.GotoAsync(new Uri(host.Address, "/todos/stream").ToString());
        await Expect(page.Locator("[data-stream=open]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-word=connected]")).ToBeVisibleAsync();
        await axe.CheckAsync(page, "stream");
    }

    private static async Task WarrantyAsync(IPage page, Axe axe)
    {
        var field = page.Locator("[data-case='20'][data-field='customerName']");
        await field.ClickAsync();
        await Expect(field.Locator("input")).ToBeVisibleAsync();
        await axe.CheckAsync(page, "field");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "New case" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await axe.CheckAsync(page, "dialog");
    }

    private static async Task FocusAsync(IPage page, Axe axe)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Event", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await axe.CheckAsync(page, "dialog");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToBeVisibleAsync();
        await axe.CheckAsync(page, "timer");
    }

    private static async Task WishlistsAsync(IPage page, Axe axe)
    {
        await page.Locator(".cloud").ClickAsync();
        await axe.CheckAsync(page, "cloud");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "Share" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await axe.CheckAsync(page, "share");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit Cast iron teapot", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await axe.CheckAsync(page, "item");
    }
}
