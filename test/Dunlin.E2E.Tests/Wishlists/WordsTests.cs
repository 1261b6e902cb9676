using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Labels, the account menu on phones, and words in the language of the page.</summary>
public sealed class WordsTests(BrowserFixture browser)
{
    [Theory]
    [InlineData(390)]
    [InlineData(320)]
    public async Task The_account_menu_opens_on_a_phone_and_signs_out(int width)
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(
            host,
            browser.Browser,
            "bob",
            Demo,
            new BrowserNewContextOptions
            {
                Locale = "ru-RU",
                ViewportSize = new ViewportSize { Width = width, Height = 740 },
            }
        );
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        // Leaving a list must not look like signing out.
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Убрать из моих списков" })).ToBeVisibleAsync();
        var account = page.Locator(".user-button");
        await Expect(account).ToBeInViewportAsync(new() { Ratio = 1 });
        await account.ClickAsync();
        await page.PictureAsync($"wishlists-account-{width}");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Выйти" })).ToBeInViewportAsync(new() { Ratio = 1 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Выйти" }).ClickAsync();
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync(Patient);
        Assert.Equal("Списки желаний · Dunlin", await page.TitleAsync());
    }

    [Fact]
    public async Task The_share_dialog_has_labels_and_speaks_Russian_when_it_fails()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "alice", Demo, new BrowserNewContextOptions { Locale = "ru-RU" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Поделиться" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Кто присоединится по ссылке").SelectOptionAsync("view");
        await dialog.GetByLabel("Срок действия ссылки").SelectOptionAsync("7");
        await page.RouteAsync(
            "**/shares",
            route =>
                route.FulfillAsync(
                    new RouteFulfillOptions
                    {
                        Status = 403,
                        ContentType = "application/problem+json",
                        Body = """{"status":403,"code":"forbidden","title":"Only the owner of the list can do this."}""",
                    }
                )
        );
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Создать ссылку" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToHaveTextAsync("У вас нет на это права.");
    }
}
