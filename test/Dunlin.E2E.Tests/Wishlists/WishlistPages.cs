using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.E2E.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Operations of the wishlist tests on the page.</summary>
internal static class WishlistPages
{
    public const string Demo = "/wishlists/list/demo-birthday";

    public static LocatorAssertionsToBeVisibleOptions Patient { get; } = new() { Timeout = 20_000 };

    /// <summary>A host that may fetch from a shop on loopback.</summary>
    public static Task<TestHost> HostAsync(Shop shop) =>
        TestHost.StartAsync(services =>
            services.Configure<FetchOptions>(fetch =>
            {
                fetch.AllowedNetworks.Add("127.0.0.0/8");
                fetch.AllowedPorts.Add(shop.Address.Port);
            })
        );

    public static async Task<IPage> OpenAsync(
        TestHost host,
        IBrowser browser,
        string user,
        string path = Demo,
        BrowserNewContextOptions? options = null
    )
    {
        var page = await host.OpenAsync(browser, user, path, options ?? new BrowserNewContextOptions { Locale = "en-GB" });
        await SyncedAsync(page);
        return page;
    }

    public static Task SyncedAsync(IPage page) => Expect(page.Locator("[data-cloud=synced]")).ToBeVisibleAsync(Patient);

    public static Task CloudAsync(IPage page, string state, int pending) =>
        Expect(page.Locator($"[data-cloud={state}][data-pending='{pending}']")).ToBeVisibleAsync(Patient);

    public static ILocator Wish(IPage page, string title) =>
        page.Locator("[data-item]", new() { Has = page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true }) });

    public static async Task AddAsync(IPage page, string words)
    {
        await page.Locator("[data-field=add]").FillAsync(words);
        await page.Locator("[data-field=add]").PressAsync("Enter");
    }

    public static async Task RenameAsync(IPage page, string title, string to)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = $"Edit {title}", Exact = true }).ClickAsync();
        await page.GetByLabel("What it is").FillAsync(to);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
    }

    /// <summary>Replaces pictures of external shops.</summary>
    public static Task DrawPicturesAsync(IPage page) =>
        page.RouteAsync(
            "https://pictures.example/**",
            route =>
                route.FulfillAsync(
                    new RouteFulfillOptions
                    {
                        ContentType = "image/svg+xml",
                        Body = """
                        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 84 84"><rect width="84" height="84" fill="#e8d9c3"/>
                        <path d="M24 36h36l-4 26H28zM30 36c0-14 24-14 24 0M60 42c10-2 10 12 0 12" fill="#b5543c" stroke="#7d3425" stroke-width="2"/></svg>
                        """,
                    }
                )
        );
}
