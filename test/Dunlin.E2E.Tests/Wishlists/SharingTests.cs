using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Sharing, marks and their secrecy, and the page with other languages, small windows and the keyboard.</summary>
public sealed class SharingTests(BrowserFixture browser)
{
    [Fact]
    public async Task Marks_reach_all_members_but_are_invisible_to_the_owner()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/healthz/live", new BrowserNewContextOptions { Locale = "en-GB" });
        var marks = new List<string>();
        alice.Response += async (_, response) =>
        {
            if (response.Url.Contains("marks", StringComparison.Ordinal))
            {
                var text = await response.TextAsync();
                lock (marks)
                    marks.Add(text);
            }
        };
        await alice.GotoAsync(new Uri(host.Address, Demo).ToString());
        await SyncedAsync(alice);
        var bob = await OpenAsync(host, browser.Browser, "bob");
        var carol = await OpenAsync(host, browser.Browser, "carol");

        await Wish(bob, "Cast iron teapot").GetByRole(AriaRole.Button, new() { Name = "I’ll give this" }).ClickAsync();
        await Wish(bob, "Water glasses").GetByRole(AriaRole.Button, new() { Name = "Give one more: Water glasses" }).ClickAsync();
        await Expect(Wish(bob, "Water glasses").GetByText("You give 3")).ToBeVisibleAsync();
        await Expect(Wish(bob, "Water glasses").GetByText("3 left")).ToBeVisibleAsync();
        await Expect(Wish(carol, "Cast iron teapot").GetByText("Bob Baker gives 1")).ToBeVisibleAsync(Patient);
        await Expect(Wish(carol, "Water glasses").GetByText("Bob Baker gives 3")).ToBeVisibleAsync(Patient);
        // She may only view.
        await Expect(carol.GetByRole(AriaRole.Button, new() { Name = "I’ll give this" })).ToHaveCountAsync(0);
        await bob.PictureAsync("wishlists-marks");

        // A change after the marks that all of them see: when it has arrived, marks would have arrived too.
        await AddAsync(alice, "The last wish");
        await Expect(Wish(bob, "The last wish")).ToBeVisibleAsync(Patient);
        await SyncedAsync(alice);
        await Expect(alice.GetByText("Surprise: nobody tells you what has been taken.")).ToBeVisibleAsync();
        await Expect(alice.Locator(".marks")).ToHaveCountAsync(0);
        await Expect(alice.GetByText("Bob Baker")).ToHaveCountAsync(0);
        lock (marks)
        {
            Assert.NotEmpty(marks);
            Assert.All(marks, text => Assert.StartsWith("{\"documents\":[],", text, StringComparison.Ordinal));
        }
        await alice.PictureAsync("wishlists-owner");

        await Wish(bob, "Cast iron teapot").GetByRole(AriaRole.Button, new() { Name = "Give one fewer: Cast iron teapot" }).ClickAsync();
        await Expect(Wish(carol, "Cast iron teapot").GetByText("Bob Baker")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
    }

    [Fact]
    public async Task A_link_previews_and_joins_a_list_until_it_is_revoked()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await OpenAsync(host, browser.Browser, "alice");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).ClickAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var link = alice.Locator("[data-field=link]");
        await Expect(link).ToHaveValueAsync(new Regex("/wishlists/share/[A-Za-z0-9_-]{43}$"));
        await Expect(alice.Locator("[data-share]")).ToHaveCountAsync(1);
        await alice.PictureAsync("wishlists-share");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Copy", Exact = true }).ClickAsync();
        await Expect(alice.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        var address = await link.InputValueAsync();

        await using var context = await browser.Browser.NewContextAsync(new BrowserNewContextOptions { Locale = "en-GB" });
        context.SetDefaultTimeout(20_000);
        var dave = await context.NewPageAsync();
        await dave.GotoAsync(address);
        await Expect(dave.Locator("[data-preview]").GetByText("Birthday")).ToBeVisibleAsync(Patient);
        await Expect(dave.GetByText("Alice Archer shares a wishlist with you")).ToBeVisibleAsync();
        await dave.PictureAsync("wishlists-preview");
        await dave.GetByRole(AriaRole.Button, new() { Name = "Sign in to join" }).ClickAsync();
        await dave.Locator("[data-account=dave]").ClickAsync();
        await Expect(Wish(dave, "Cast iron teapot")).ToBeVisibleAsync(Patient);
        await Expect(dave.Locator("[data-list=demo-birthday]").GetByText("by Alice Archer")).ToBeVisibleAsync();
        await Expect(Wish(dave, "Cast iron teapot").GetByRole(AriaRole.Button, new() { Name = "I’ll give this" })).ToBeVisibleAsync();

        await Expect(alice.Locator("[data-member=dave]")).ToBeVisibleAsync(Patient);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(alice.Locator("[data-share]")).ToHaveCountAsync(0);
        await alice.Locator("[data-member=dave]").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(dave.GetByText("This list is not here")).ToBeVisibleAsync(Patient);
        await dave.GotoAsync(address);
        await Expect(dave.Locator("[data-preview-trouble=gone]")).ToBeVisibleAsync(Patient);
    }

    [Fact]
    public async Task The_page_supports_Russian_phones_and_the_keyboard()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(
            host,
            browser.Browser,
            "alice",
            "/wishlists",
            new BrowserNewContextOptions
            {
                Locale = "ru-RU",
                ViewportSize = new ViewportSize { Width = 375, Height = 740 },
            }
        );
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Мои списки" })).ToBeVisibleAsync();
        await page.PictureAsync("wishlists-phone-lists");
        await page.Locator("[data-field=new-list]").FillAsync("Новый дом");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Новый дом" })).ToBeVisibleAsync();
        await page.Locator("[data-field=add]").FocusAsync();
        foreach (var wish in new[] { "Чайник", "Тёплый плед", "Книга о птицах" })
        {
            await page.Keyboard.InsertTextAsync(wish);
            await page.Keyboard.PressAsync("Enter");
            await Expect(Wish(page, wish)).ToBeVisibleAsync();
        }
        await SyncedAsync(page);
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await page.PictureAsync("wishlists-phone");

        // Into the dialog and back by keyboard: the focus returns.
        var edit = page.GetByRole(AriaRole.Button, new() { Name = "Изменить: Чайник" });
        await edit.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("Что это")).ToBeVisibleAsync();
        await page.PictureAsync("wishlists-phone-edit");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByLabel("Что это")).ToHaveCountAsync(0);
        await Expect(edit).ToBeFocusedAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "English" }).ClickAsync();
        await Expect(page.GetByPlaceholder("Paste a link, or write a wish")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Expect(page.GetByPlaceholder("Paste a link, or write a wish")).ToBeVisibleAsync(Patient);
        await page.GotoAsync(new Uri(host.Address, "/wishlists").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "My lists" })).ToBeVisibleAsync(Patient);
    }

    [Fact]
    public async Task After_sign_out_another_user_sees_only_own_data()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "alice");
        await SignOutAsync(page);
        await page.Locator("[data-account=dave]").ClickAsync();
        await Expect(page.Locator("[data-user=dave]")).ToBeVisibleAsync(Patient);
        Assert.EndsWith("/wishlists", page.Url, StringComparison.Ordinal);
        await SyncedAsync(page);
        await Expect(page.Locator("[data-list]")).ToHaveCountAsync(0);
    }

    private static async Task SignOutAsync(IPage page)
    {
        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.Locator("[data-gate]").GetByText("You were signed out. What you did is kept")).ToBeVisibleAsync(Patient);
    }

    [Fact]
    public async Task The_page_can_be_installed()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "alice");
        var session = await page.Context.NewCDPSessionAsync(page);
        var errors = await session.SendAsync("Page.getInstallabilityErrors");
        // The context of a test is a private window, which cannot install an application.
        var found = errors!
            .Value.GetProperty("installabilityErrors")
            .EnumerateArray()
            .Select(error => error.GetProperty("errorId").GetString());
        Assert.DoesNotContain(found, error => error != "in-incognito");
        var manifest = await session.SendAsync("Page.getAppManifest");
        Assert.EndsWith("/wishlists.webmanifest", manifest!.Value.GetProperty("url").GetString(), StringComparison.Ordinal);
        Assert.Empty(manifest.Value.GetProperty("errors").EnumerateArray());
        await session.DetachAsync();
    }
}
