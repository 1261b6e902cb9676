using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>The retry of a page that could not be read.</summary>
public sealed class RetryTests(BrowserFixture browser)
{
    [Fact]
    public async Task Retry_shows_progress_the_reason_of_a_failure_and_the_result()
    {
        await using var shop = await Shop.StartAsync();
        await using var host = await HostAsync(shop);
        var page = await OpenAsync(host, browser.Browser, "alice");
        await DrawPicturesAsync(page);
        await AddAsync(page, new Uri(shop.Address, "/lamp").ToString());
        var wish = page.Locator("[data-item]", new() { HasText = "127.0.0.1" });
        var retry = wish.GetByRole(AriaRole.Button, new() { Name = "Retry" });
        await Expect(wish.GetByText("Could not be looked up. The site has no such page")).ToBeVisibleAsync(Patient);

        // The server cannot be asked: the reason appears beside the button, which keeps the focus.
        await page.RouteAsync("**/resolve", route => route.AbortAsync());
        await retry.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(wish.GetByText("This needs a network.")).ToBeVisibleAsync();
        await Expect(retry).ToBeFocusedAsync();
        await page.UnrouteAsync("**/resolve");

        // The page knows an attempt from the former one by the time of the change.
        host.Time.Advance(TimeSpan.FromSeconds(1));
        var again = new TaskCompletionSource();
        shop.LampIsReady = again.Task;
        await page.Keyboard.PressAsync("Enter");
        await Expect(wish.GetByText("Looking it up")).ToBeVisibleAsync(Patient);
        await Expect(wish.Locator(".spinner")).ToBeVisibleAsync();
        await page.PictureAsync("wishlists-retrying");
        again.SetResult();
        await Expect(wish.GetByText("Tried again, and it could not be looked up. The site has no such page")).ToBeVisibleAsync(Patient);
        await Expect(retry).ToBeFocusedAsync();
        await page.PictureAsync("wishlists-retry-failed");

        host.Time.Advance(TimeSpan.FromSeconds(1));
        shop.HasLamp = true;
        await page.Keyboard.PressAsync("Enter");
        var lamp = Wish(page, "Reading lamp");
        await Expect(lamp.GetByText("€75.00")).ToBeVisibleAsync(Patient);
        await Expect(lamp.GetByText("Looked up")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-status=failed]")).ToHaveCountAsync(0);
    }
}
