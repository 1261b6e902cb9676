using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Undo after deletions and after leaving a list. The clock of the browser is the test's.</summary>
public sealed class UndoTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_deleted_list_comes_back_with_Undo_and_goes_without_it()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await ClockedAsync(host, "alice");
        var bob = await OpenAsync(host, browser.Browser, "bob");
        await DeleteListAsync();
        await Expect(alice.Locator("[data-list=demo-birthday]")).ToHaveCountAsync(0);
        await alice.PictureAsync("wishlists-undo");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(Wish(alice, "Cast iron teapot")).ToBeVisibleAsync();
        await alice.Clock.FastForwardAsync(11_000);
        await Expect(Wish(bob, "Cast iron teapot")).ToBeVisibleAsync();

        await DeleteListAsync();
        await alice.Clock.FastForwardAsync(11_000);
        await Expect(alice.GetByRole(AriaRole.Button, new() { Name = "Undo" })).ToHaveCountAsync(0);
        await Expect(bob.GetByText("This list is not here")).ToBeVisibleAsync(Patient);

        async Task DeleteListAsync()
        {
            await alice.GetByRole(AriaRole.Button, new() { Name = "Edit Birthday" }).ClickAsync();
            await alice.GetByRole(AriaRole.Button, new() { Name = "Delete list" }).ClickAsync();
            await alice.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        }
    }

    [Fact]
    public async Task Leaving_a_list_and_taking_a_mark_back_can_be_undone()
    {
        await using var host = await TestHost.StartAsync();
        var bob = await ClockedAsync(host, "bob");
        var glasses = Wish(bob, "Water glasses");
        await glasses.GetByRole(AriaRole.Button, new() { Name = "Give one fewer" }).ClickAsync();
        await Expect(glasses.GetByText("You give 1")).ToBeVisibleAsync();
        await glasses.GetByRole(AriaRole.Button, new() { Name = "Give one fewer" }).ClickAsync();
        await Expect(glasses.GetByText("You give")).ToHaveCountAsync(0);
        await bob.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(glasses.GetByText("You give 1")).ToBeVisibleAsync();

        var leave = bob.GetByRole(AriaRole.Button, new() { Name = "Remove from my lists" });
        await leave.ClickAsync();
        await Expect(bob.Locator("[data-list]")).ToHaveCountAsync(0);
        await bob.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(glasses.GetByText("You give 1")).ToBeVisibleAsync();
        // A sign-out does not wait for the end of the undo.
        await leave.ClickAsync();
        await bob.Locator(".user-button").ClickAsync();
        await bob.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(bob.Locator("[data-gate]")).ToBeVisibleAsync(Patient);
        using var client = await host.ClientAsync("alice");
        Assert.DoesNotContain("\"bob\"", await client.GetStringAsync("/api/v1/wishlists/demo-birthday"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_link_and_a_removed_member_come_back_with_Undo()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await ClockedAsync(host, "alice");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).ClickAsync();
        var dialog = alice.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var address = await dialog.Locator("[data-field=link]").InputValueAsync();
        var preview = address.Replace("/wishlists/share/", "/api/v1/share/", StringComparison.Ordinal);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(dialog.GetByText("No longer works")).ToBeVisibleAsync();
        Assert.Equal(404, (await alice.APIRequest.GetAsync(preview)).Status);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Revoke" })).ToBeVisibleAsync();
        Assert.Equal(200, (await alice.APIRequest.GetAsync(preview)).Status);

        var bob = dialog.Locator("[data-member=bob]");
        await bob.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(bob.GetByText("Removed")).ToBeVisibleAsync();
        await alice.PictureAsync("wishlists-removed");
        await bob.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        // Closed with a removal that can be undone: a toast takes over.
        await dialog.Locator("[data-member=carol]").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await alice.Keyboard.PressAsync("Escape");
        await Expect(alice.GetByText("Carol Carter was removed from the list.")).ToBeVisibleAsync();
        await alice.Clock.FastForwardAsync(11_000);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).ClickAsync();
        await Expect(dialog.Locator("[data-member=carol]")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
        await Expect(bob).ToBeVisibleAsync();
    }

    private async Task<IPage> ClockedAsync(TestHost host, string user)
    {
        var page = await host.OpenAsync(browser.Browser, user, "/healthz/live", new BrowserNewContextOptions { Locale = "en-GB" });
        await page.Clock.InstallAsync();
        await page.GotoAsync(new Uri(host.Address, Demo).ToString());
        await SyncedAsync(page);
        return page;
    }
}
