using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>The first load of a browser without data.</summary>
public sealed class LoadingTests(BrowserFixture browser)
{
    private const string Sync = "**/api/v1/sync/**";

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task A_failing_first_load_shows_an_error_with_retry(int width)
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var page = await BlankAsync(host, width);
        await page.RouteAsync(Sync, route => route.FulfillAsync(new RouteFulfillOptions { Status = 500 }));
        await page.GotoAsync(new Uri(host.Address, "/wishlists").ToString());
        var notice = page.Locator("[data-load]:visible");
        await Expect(notice.GetByText("Your lists could not be loaded")).ToBeVisibleAsync(Patient);
        await Expect(page.GetByText("When somebody shares a list with you")).ToHaveCountAsync(0);
        await page.PictureAsync($"wishlists-load-failed-{width}");
        // The page of one list has the same notice, and does not say that the list is gone.
        await page.GotoAsync(new Uri(host.Address, Demo).ToString());
        await Expect(notice.GetByText("Your lists could not be loaded")).ToBeVisibleAsync(Patient);
        await Expect(page.GetByText("This list is not here")).ToHaveCountAsync(0);
        await RetryAsync(page);
        await Expect(page.Locator("[data-load]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_first_load_that_hangs_ends_with_an_error_and_retry()
    {
        await using var host = await TestHost.StartAsync();
        var page = await BlankAsync(host, 1280);
        await page.Clock.InstallAsync();
        var hanging = new TaskCompletionSource();
        await page.RouteAsync(
            Sync,
            async route =>
            {
                await hanging.Task;
                await route.AbortAsync();
            }
        );
        await page.GotoAsync(new Uri(host.Address, Demo).ToString());
        var notice = page.Locator("[data-load]:visible");
        await Expect(notice.GetByText("Loading your lists")).ToBeVisibleAsync(Patient);
        await page.PictureAsync("wishlists-loading");
        await page.Clock.FastForwardAsync(16_000);
        await Expect(notice.GetByText("the server cannot be reached")).ToBeVisibleAsync(Patient);
        await RetryAsync(page);
        hanging.SetResult();
    }

    // Asks again while the server still fails, because the page also tries again by itself and would take the button away.
    private static async Task RetryAsync(IPage page)
    {
        await page.RunAndWaitForRequestAsync(
            () => page.Locator("[data-load]:visible").GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync(),
            request => request.Url.Contains("/api/v1/sync/pull/", StringComparison.Ordinal)
        );
        await page.UnrouteAsync(Sync);
        await Expect(Wish(page, "Cast iron teapot")).ToBeVisibleAsync(Patient);
    }

    // A signed-in page that has not opened the wishlists.
    private Task<IPage> BlankAsync(TestHost host, int width) =>
        host.OpenAsync(
            browser.Browser,
            "alice",
            "/healthz/live",
            new BrowserNewContextOptions
            {
                Locale = "en-GB",
                ViewportSize = new ViewportSize { Width = width, Height = 800 },
            }
        );
}
