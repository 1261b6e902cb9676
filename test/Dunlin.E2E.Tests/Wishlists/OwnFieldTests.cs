using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Price, picture, priority and order of wishes made by hand.</summary>
public sealed class OwnFieldTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_wish_gets_price_picture_and_priority_by_hand()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await OpenAsync(host, browser.Browser, "alice");
        var bob = await OpenAsync(host, browser.Browser, "bob", Demo, new BrowserNewContextOptions { Locale = "ru-RU" });
        foreach (var page in new[] { alice, bob })
            await DrawPicturesAsync(page);
        var pictures = bob.Watch(request => request.Url.StartsWith("https://pictures.example/", StringComparison.Ordinal));
        await AddAsync(alice, "Enamel kettle");
        var edit = alice.GetByRole(AriaRole.Button, new() { Name = "Edit Enamel kettle", Exact = true });
        await edit.ClickAsync();
        var dialog = alice.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Price").FillAsync("much");
        await Expect(dialog.GetByText("A number such as 39.50.")).ToBeVisibleAsync();
        await dialog.GetByLabel("Price").FillAsync("1 299,50");
        await dialog.GetByLabel("Currency").SelectOptionAsync("USD");
        await dialog.GetByLabel("Address of a picture").FillAsync("http://pictures.example/kettle.svg");
        await Expect(dialog.GetByText("A picture needs an address that begins with https.")).ToBeVisibleAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToBeDisabledAsync();
        await dialog.GetByLabel("Address of a picture").FillAsync("https://pictures.example/kettle.svg");
        await dialog.GetByLabel("How much it is wanted").SelectOptionAsync("Wanted most");
        await Expect(dialog.Locator("img")).ToBeVisibleAsync();
        await alice.PictureAsync("wishlists-edit");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();

        var wish = Wish(alice, "Enamel kettle");
        await Expect(wish.GetByText("$1,299.50")).ToBeVisibleAsync();
        await Expect(wish.GetByText("Wanted most")).ToBeVisibleAsync();
        await alice.PictureAsync("wishlists-own-fields");
        await Expect(Wish(bob, "Enamel kettle").GetByText("1 299,50 $")).ToBeVisibleAsync(Patient);
        await Expect(Wish(bob, "Enamel kettle").GetByText("Хочется больше всего")).ToBeVisibleAsync();
        await Expect(Wish(bob, "Enamel kettle").Locator("img")).ToBeVisibleAsync();
        Assert.All(pictures, request => Assert.DoesNotContain("referer", request.Headers.Keys));
        Assert.NotEmpty(pictures);

        await edit.ClickAsync();
        await dialog.GetByLabel("Price").FillAsync("");
        await dialog.GetByLabel("Address of a picture").FillAsync("");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(Wish(bob, "Enamel kettle").GetByText("1 299,50 $")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
        await Expect(wish.Locator("img")).ToHaveCountAsync(0);
        await CloudAsync(alice, "synced", 0);
    }

    [Fact]
    public async Task Wishes_move_by_drag_and_by_keyboard_on_all_devices()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await OpenAsync(host, browser.Browser, "alice");
        var phone = await OpenAsync(host, browser.Browser, "alice");
        var bob = await OpenAsync(host, browser.Browser, "bob");
        var titles = alice.Locator("[data-item] .wish-title");
        var before = await titles.AllTextContentsAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = $"Move {before[2]}" }).FocusAsync();
        await alice.Keyboard.PressAsync("Home");
        await Expect(titles).ToHaveTextAsync([before[2], before[0], before[1]]);
        await Expect(alice.GetByRole(AriaRole.Button, new() { Name = $"Move {before[2]}" })).ToBeFocusedAsync();
        await Expect(alice.GetByText($"{before[2]} is now number 1 of 3.")).ToBeAttachedAsync();
        await alice.Keyboard.PressAsync("ArrowDown");
        await Expect(titles).ToHaveTextAsync([before[0], before[2], before[1]]);
        await Expect(bob.Locator("[data-item] .wish-title")).ToHaveTextAsync([before[0], before[2], before[1]], new() { Timeout = 20_000 });
        // Members do not move wishes.
        await Expect(bob.Locator(".wish-grip")).ToHaveCountAsync(0);

        var (from, to) = (
            await Wish(alice, before[1]).Locator(".wish-grip").BoundingBoxAsync(),
            await Wish(alice, before[0]).BoundingBoxAsync()
        );
        await alice.Mouse.MoveAsync(from!.X + 8, from.Y + 8);
        await alice.Mouse.DownAsync();
        await alice.Mouse.MoveAsync(from.X + 8, to!.Y + 4, new() { Steps = 4 });
        await Expect(Wish(alice, before[0])).ToHaveAttributeAsync("data-drop", "before");
        await alice.PictureAsync("wishlists-drag");
        await alice.Mouse.UpAsync();
        await Expect(titles).ToHaveTextAsync([before[1], before[0], before[2]]);
        await CloudAsync(alice, "synced", 0);

        // Both devices move a wish to the same place while one is offline: they agree, and a new wish is the first.
        await Expect(phone.Locator("[data-item] .wish-title"))
            .ToHaveTextAsync([before[1], before[0], before[2]], new() { Timeout = 20_000 });
        await phone.Context.SetOfflineAsync(true);
        await CloudAsync(phone, "offline", 0);
        await MoveAsync(phone, before[2], "Home");
        await MoveAsync(alice, before[0], "Home");
        await CloudAsync(alice, "synced", 0);
        await phone.Context.SetOfflineAsync(false);
        await CloudAsync(phone, "synced", 0);
        await AddAsync(phone, "Wool socks");
        await Expect(Wish(alice, "Wool socks")).ToBeVisibleAsync(Patient);
        await CloudAsync(phone, "synced", 0);
        var agreed = await titles.AllTextContentsAsync();
        Assert.Equal(("Wool socks", before[1]), (agreed[0], agreed[3]));
        await Expect(phone.Locator("[data-item] .wish-title")).ToHaveTextAsync(agreed);
        await phone.ReloadAsync();
        await Expect(phone.Locator("[data-item] .wish-title")).ToHaveTextAsync(agreed, new() { Timeout = 20_000 });
    }

    private static async Task MoveAsync(IPage page, string title, string key)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = $"Move {title}" }).FocusAsync();
        await page.Keyboard.PressAsync(key);
        await Expect(page.Locator("[data-item] .wish-title").First).ToHaveTextAsync(title);
    }
}
