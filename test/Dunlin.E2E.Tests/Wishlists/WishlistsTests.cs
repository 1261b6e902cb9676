using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>The wishlists in Chromium: the guarantees of their contract, with its numbers.</summary>
public sealed class WishlistsTests(BrowserFixture browser)
{
    [Fact]
    public async Task Seed_1_An_item_by_URL_appears_at_once_and_resolves_without_reload()
    {
        await using var shop = await Shop.StartAsync();
        await using var host = await HostAsync(shop);
        var page = await OpenAsync(host, browser.Browser, "alice");
        await DrawPicturesAsync(page);
        await AddAsync(page, new Uri(shop.Address, "/kettle").ToString());
        var wish = Wish(page, "127.0.0.1");
        await Expect(wish).ToHaveCountAsync(1);
        await Expect(wish.Locator(".spinner")).ToBeVisibleAsync();
        await AddAsync(page, new Uri(shop.Address, "/lamp").ToString());
        var failed = page.Locator("[data-item][data-status=failed]");
        await Expect(failed.GetByText("The site has no such page")).ToBeVisibleAsync(Patient);
        await page.PictureAsync("wishlists-resolving");

        shop.Open();
        await Expect(Wish(page, "Enamel kettle, 2 litres").GetByText("€39.50")).ToBeVisibleAsync(Patient);
        shop.HasLamp = true;
        await failed.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(Wish(page, "Reading lamp").GetByText("€75.00")).ToBeVisibleAsync(Patient);
        await Expect(page.Locator("[data-status=failed]")).ToHaveCountAsync(0);
        await page.PictureAsync("wishlists-resolved");
    }

    [Fact]
    public async Task Seed_2_An_edit_on_one_device_appears_on_the_other()
    {
        await using var host = await TestHost.StartAsync();
        var (laptop, phone) = (await OpenAsync(host, browser.Browser, "alice"), await OpenAsync(host, browser.Browser, "alice"));
        await RenameAsync(laptop, "A bird guide", "A guide to waders");
        await Expect(Wish(phone, "A guide to waders")).ToBeVisibleAsync(Patient);
        await AddAsync(phone, "Wool socks");
        await Expect(Wish(laptop, "Wool socks")).ToBeVisibleAsync(Patient);
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Delete: Wool socks" }).ClickAsync();
        await Expect(Wish(phone, "Wool socks")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(Wish(phone, "Wool socks")).ToBeVisibleAsync(Patient);
        foreach (var page in new[] { laptop, phone })
            await SyncedAsync(page);
    }

    [Fact]
    public async Task Seed_3_Everything_continues_after_a_network_or_server_outage()
    {
        await using var host = await TestHost.StartAsync();
        var (alice, other) = (await OpenAsync(host, browser.Browser, "alice"), await OpenAsync(host, browser.Browser, "alice"));
        await alice.Context.SetOfflineAsync(true);
        await CloudAsync(alice, "offline", 0);
        await AddAsync(alice, "Made without a network");
        await RenameAsync(alice, "A bird guide", "A guide to waders");
        await CloudAsync(alice, "offline", 2);
        await alice.Locator(".cloud").ClickAsync();
        await Expect(alice.Locator("#cloud-menu").GetByText("2 changes wait")).ToBeVisibleAsync();
        await alice.PictureAsync("wishlists-offline");
        await alice.Keyboard.PressAsync("Escape");
        await AddAsync(other, "Made meanwhile");
        await SyncedAsync(other);
        await alice.Context.SetOfflineAsync(false);
        await CloudAsync(alice, "synced", 0);
        foreach (var page in new[] { alice, other })
        {
            foreach (var title in new[] { "Made without a network", "A guide to waders", "Made meanwhile" })
                await Expect(Wish(page, title)).ToBeVisibleAsync(Patient);
        }
        await host.RestartAsync();
        await AddAsync(alice, "After the restart");
        await Expect(Wish(other, "After the restart")).ToBeVisibleAsync(Patient);
        await CloudAsync(alice, "synced", 0);
    }

    [Fact]
    public async Task Seed_4_With_a_blocked_stream_changes_are_sent_and_polled()
    {
        await using var host = await TestHost.StartAsync();
        var blocked = await host.OpenAsync(browser.Browser, "alice", "/healthz/live", new BrowserNewContextOptions { Locale = "en-GB" });
        await blocked.RouteAsync("**/dunlin/v1/streams**", route => route.AbortAsync());
        await blocked.Clock.InstallAsync();
        await blocked.GotoAsync(new Uri(host.Address, Demo).ToString());
        await SyncedAsync(blocked);
        var other = await OpenAsync(host, browser.Browser, "alice");
        await AddAsync(blocked, "Sent without a stream");
        await Expect(Wish(other, "Sent without a stream")).ToBeVisibleAsync(Patient);
        await AddAsync(other, "Asked for by itself");
        await Expect(Wish(other, "Asked for by itself")).ToBeVisibleAsync();
        await SyncedAsync(other);
        await blocked.Clock.FastForwardAsync(40_000);
        await Expect(Wish(blocked, "Asked for by itself")).ToBeVisibleAsync(Patient);
        await AddAsync(other, "Asked for by hand");
        await Expect(Wish(other, "Asked for by hand")).ToBeVisibleAsync();
        await SyncedAsync(other);
        await blocked.Locator(".cloud").ClickAsync();
        await blocked.GetByRole(AriaRole.Button, new() { Name = "Sync now" }).ClickAsync();
        await Expect(Wish(blocked, "Asked for by hand")).ToBeVisibleAsync(Patient);
    }

    [Fact]
    public async Task Seed_5_Several_tabs_have_one_stream_and_send_everything_once()
    {
        await using var host = await TestHost.StartAsync();
        var first = await OpenAsync(host, browser.Browser, "alice");
        var tabs = new List<IPage> { first };
        for (var i = 0; i < 2; i++)
        {
            var tab = await first.Context.NewPageAsync();
            await tab.GotoAsync(new Uri(host.Address, Demo).ToString());
            tabs.Add(tab);
        }
        foreach (var tab in tabs)
            await SyncedAsync(tab);
        using var client = await host.ClientAsync("alice");
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/v1/events/status")).GetProperty("total_connections").GetInt32());

        var pushes = tabs.Select(tab => tab.Watch(request => request.Url.Contains("/sync/push/", StringComparison.Ordinal))).ToList();
        await AddAsync(tabs[2], "Made in the third tab");
        foreach (var tab in tabs)
        {
            await Expect(Wish(tab, "Made in the third tab")).ToBeVisibleAsync(Patient);
            await CloudAsync(tab, "synced", 0);
        }
        Assert.Equal(1, pushes.Sum(seen => seen.Count));

        // The replicating tab closes, and another takes over.
        await first.CloseAsync();
        await AddAsync(tabs[1], "Made when the first was gone");
        await Expect(Wish(tabs[2], "Made when the first was gone")).ToBeVisibleAsync(Patient);
        await CloudAsync(tabs[1], "synced", 0);
        await CloudAsync(tabs[2], "synced", 0);
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/v1/events/status")).GetProperty("total_connections").GetInt32());
        var items = await client.GetFromJsonAsync<JsonElement>("/api/v1/wishlists/demo-birthday/items");
        Assert.Contains(items.EnumerateArray(), item => item.GetProperty("title").GetString() == "Made when the first was gone");
    }

    [Fact]
    public async Task The_page_opens_offline_with_all_changes_and_sends_them_later()
    {
        await using var host = await TestHost.StartAsync();
        var (alice, other) = (await OpenAsync(host, browser.Browser, "alice"), await OpenAsync(host, browser.Browser, "alice"));
        await alice.EvaluateAsync("() => navigator.serviceWorker.ready.then(() => true)");
        await host.StopAsync();
        await AddAsync(alice, "https://shop.example/socks");
        await Expect(Wish(alice, "shop.example")).ToBeVisibleAsync();
        await CloudAsync(alice, "offline", 1);
        await alice.ReloadAsync();
        await Expect(Wish(alice, "shop.example").Locator(".spinner")).ToBeVisibleAsync(Patient);
        await CloudAsync(alice, "offline", 1);
        await RenameAsync(alice, "Water glasses", "Wine glasses");
        await CloudAsync(alice, "offline", 2);
        // Neither the API nor the stream is answered from the cache.
        var kept = await alice.EvaluateAsync<string[]>(
            """
            async () => {
              const name = (await caches.keys()).find(each => each.startsWith('dunlin-wishlists-'));
              return (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
            }
            """
        );
        Assert.Contains("/wishlists", kept);
        Assert.All(kept, path => Assert.Matches("^/(wishlists|assets/)", path));

        await host.ContinueAsync();
        await CloudAsync(alice, "synced", 0);
        await Expect(Wish(other, "Wine glasses")).ToBeVisibleAsync(Patient);
        await Expect(other.GetByText("shop.example").First).ToBeVisibleAsync(Patient);
    }
}
