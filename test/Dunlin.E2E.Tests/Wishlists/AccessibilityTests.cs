using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>All states of the page without a fault that axe-core finds, in light and dark.</summary>
public sealed class AccessibilityTests(BrowserFixture browser)
{
    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Axe_finds_no_fault_in_any_state_of_the_wishlists(int width)
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var options = Axe.Still;
        options.ViewportSize = new ViewportSize { Width = width, Height = 840 };
        var axe = new Axe();
        var alice = await OpenAsync(host, browser.Browser, "alice", Demo, options);
        await axe.CheckAsync(alice, "list");
        await alice.Locator("[data-field=add]").FillAsync(new string('x', 373));
        await axe.CheckAsync(alice, "too long");
        await alice.Locator("[data-field=add]").FillAsync("");
        var dialog = alice.GetByRole(AriaRole.Dialog);

        await alice.GetByRole(AriaRole.Button, new() { Name = "Share", Exact = true }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        await Expect(dialog.Locator("[data-share]")).ToHaveCountAsync(1);
        var link = await dialog.Locator("[data-field=link]").InputValueAsync();
        await axe.CheckAsync(alice, "share");
        var bob = dialog.Locator("[data-member=bob]");
        await bob.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await axe.CheckAsync(alice, "removed member");
        await bob.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await alice.Keyboard.PressAsync("Escape");

        await alice.GetByRole(AriaRole.Button, new() { Name = "Edit Cast iron teapot", Exact = true }).ClickAsync();
        foreach (var label in new[] { "Page", "Price", "Address of a picture" })
            await dialog.GetByLabel(label, new() { Exact = true }).FillAsync("x");
        await dialog.GetByLabel("How many").FillAsync("0");
        await axe.CheckAsync(alice, "invalid wish");
        await alice.Keyboard.PressAsync("Escape");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Edit Birthday" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete list" }).ClickAsync();
        await axe.CheckAsync(alice, "delete list");
        await alice.Keyboard.PressAsync("Escape");

        await AddAsync(alice, "https://localhost/kettle");
        await Expect(alice.Locator("[data-status=failed]")).ToBeVisibleAsync(Patient);
        await axe.CheckAsync(alice, "failed");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Delete: localhost" }).ClickAsync();
        await Expect(alice.GetByRole(AriaRole.Button, new() { Name = "Undo" })).ToBeVisibleAsync();
        await axe.CheckAsync(alice, "undo");

        foreach (var (user, path) in new[] { ("bob", Demo), ("carol", Demo), ("dave", "/wishlists"), ("dave", "/wishlists/list/none") })
            await axe.CheckAsync(await OpenAsync(host, browser.Browser, user, path, options), $"{user} {path}");

        var visitor = await (await host.ContextAsync(browser.Browser, options)).NewPageAsync();
        await visitor.GotoAsync(link);
        await Expect(visitor.Locator("[data-wish]").First).ToBeVisibleAsync(Patient);
        await axe.CheckAsync(visitor, "preview");
        await visitor.GotoAsync(new Uri(host.Address, "/wishlists/share/" + new string('A', 43)).ToString());
        await Expect(visitor.Locator("[data-preview-trouble]")).ToBeVisibleAsync(Patient);
        await axe.CheckAsync(visitor, "dead link");

        var failing = await host.OpenAsync(browser.Browser, "alice", "/healthz/live", options);
        await failing.RouteAsync("**/api/v1/sync/**", route => route.FulfillAsync(new RouteFulfillOptions { Status = 500 }));
        await failing.GotoAsync(new Uri(host.Address, "/wishlists").ToString());
        await Expect(failing.Locator("[data-load=failed]:visible")).ToBeVisibleAsync(Patient);
        await axe.CheckAsync(failing, "failed load");
        axe.RequireNone();
    }
}
