using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Links that are copied again, and what they show to visitors.</summary>
public sealed class LinkTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_link_is_copied_again_and_shows_the_wishes_to_a_visitor()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await OpenAsync(
            host,
            browser.Browser,
            "alice",
            Demo,
            new BrowserNewContextOptions { Locale = "en-GB", Permissions = ["clipboard-read", "clipboard-write"] }
        );
        await ShareAsync();
        var dialog = alice.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var address = await dialog.Locator("[data-field=link]").InputValueAsync();
        await dialog.GetByLabel("Shows the wishes also before sign-in").UncheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        await Expect(dialog.Locator("[data-share]")).ToHaveCountAsync(2);
        var closed = await dialog.Locator("[data-field=link]").InputValueAsync();
        await alice.PictureAsync("wishlists-links");

        // Long after it was made.
        await alice.ReloadAsync();
        await SyncedAsync(alice);
        await ShareAsync();
        await dialog
            .Locator("[data-share]", new() { HasText = "· shows the wishes" })
            .Filter(new() { HasNotText = "after joining" })
            .GetByRole(AriaRole.Button, new() { Name = "Get link" })
            .ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        Assert.Equal(address, await alice.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        await Expect(dialog.Locator("[data-field=link]")).ToHaveValueAsync(address);

        var context = await host.ContextAsync(browser.Browser, new BrowserNewContextOptions { Locale = "en-GB" });
        var visitor = await context.NewPageAsync();
        await visitor.GotoAsync(address);
        var wishes = visitor.Locator("[data-wish]");
        await Expect(wishes).ToHaveCountAsync(3, new() { Timeout = 20_000 });
        await Expect(wishes.Filter(new() { HasText = "Cast iron teapot" }).GetByText("€48.90")).ToBeVisibleAsync();
        // The order is the list's, and marks are not shown: the visitor may be the owner.
        var titles = await alice.Locator("[data-item] .wish-title").AllTextContentsAsync();
        await Expect(visitor.Locator("[data-wish] .wish-title")).ToHaveTextAsync(titles);
        await Expect(visitor.GetByText("Bob Baker")).ToHaveCountAsync(0);
        await Expect(visitor.GetByText("left")).ToHaveCountAsync(0);
        await visitor.PictureAsync("wishlists-preview-wishes");

        await visitor.GotoAsync(closed);
        await Expect(visitor.Locator("[data-preview]")).ToBeVisibleAsync(Patient);
        await Expect(wishes).ToHaveCountAsync(0);
        await Expect(visitor.GetByRole(AriaRole.Button, new() { Name = "Sign in to join" })).ToBeVisibleAsync();

        Task ShareAsync() => alice.GetByRole(AriaRole.Button, new() { Name = "Share", Exact = true }).ClickAsync();
    }
}
