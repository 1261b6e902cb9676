using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>A start with data in the browser waits for nothing that it does not need.</summary>
public sealed class StartTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_warm_start_opens_its_data_before_the_session_and_without_a_pull()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "alice");
        var (session, pull) = (new TaskCompletionSource(), new TaskCompletionSource());
        await HoldAsync("**/api/v1/auth/status", session.Task);
        await HoldAsync("**/api/v1/sync/**", pull.Task);
        await page.ReloadAsync();
        await page.WaitForFunctionAsync("() => performance.getEntriesByName('wishlists:database').length === 1");
        // Nothing is shown before the session names the user.
        await Expect(page.GetByText("Cast iron teapot")).ToHaveCountAsync(0);
        session.SetResult();
        await Expect(Wish(page, "Cast iron teapot")).ToBeVisibleAsync(Patient);
        Assert.Equal(1, await page.EvaluateAsync<int>("() => performance.getEntriesByName('wishlists:data').length"));
        pull.SetResult();
        await SyncedAsync(page);

        // After the sign-out the next start opens no database of the former user.
        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync(Patient);
        await page.ReloadAsync();
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync(Patient);
        Assert.Equal(0, await page.EvaluateAsync<int>("() => performance.getEntriesByName('wishlists:database').length"));

        Task HoldAsync(string url, Task until) =>
            page.RouteAsync(
                url,
                async route =>
                {
                    await until;
                    await route.ContinueAsync();
                }
            );
    }
}
