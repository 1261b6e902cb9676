using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>What a visitor sees when the server does not answer, at a wrong address, and after many wrong passwords.</summary>
public sealed class GateTests(BrowserFixture browser)
{
    private const string Status = "**/api/v1/auth/status";

    public static TheoryData<string> Systems => [.. SystemPage.Names];

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Unreachable_server_is_named_and_the_page_opens_when_it_answers(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", "/no-such-page");
        await page.RouteAsync(Status, route => route.AbortAsync());
        await page.GotoAsync(new Uri(host.Address, system.Path).ToString());
        var gate = page.Locator("[data-unreachable]");
        await Expect(gate.GetByRole(AriaRole.Heading, new() { Name = "The server cannot be reached" })).ToBeVisibleAsync();
        await Expect(gate.GetByText("The server does not answer.")).ToBeVisibleAsync();
        var again = gate.GetByRole(AriaRole.Button, new() { Name = "Try again" });
        await page.PictureAsync($"unreachable-{name}");

        // A failed attempt keeps the page and the focus.
        await again.ClickAsync();
        await Expect(again).ToHaveAttributeAsync("aria-disabled", "false");
        await Expect(again).ToBeFocusedAsync();
        await page.UnrouteAllAsync();
        await again.ClickAsync();
        await system.ReadyAsync(page);
        Assert.Equal(system.Path, new Uri(page.Url).AbsolutePath);
    }

    [Fact]
    public async Task Unreachable_page_retries_when_the_network_returns_and_names_an_error()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser);
        var page = await context.NewPageAsync();
        await page.RouteAsync(
            Status,
            route =>
                route.FulfillAsync(
                    new()
                    {
                        Status = 503,
                        ContentType = "application/problem+json",
                        Body = """{"code":"unavailable","title":"The store is down."}""",
                    }
                )
        );
        await page.GotoAsync(new Uri(host.Address, "/documents").ToString());
        await Expect(page.Locator("[data-unreachable]").GetByText("cannot open the page: The store is down.")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await context.SetOfflineAsync(true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.Locator("[data-unreachable]").GetByText("This device has no network.")).ToBeVisibleAsync();
        await context.SetOfflineAsync(false);
        await Expect(page.Locator("[data-gate] [data-account=alice]")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("User name")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Unreachable_server_is_named_in_Russian_and_on_the_landing_page()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser, new() { Locale = "ru-RU" });
        var page = await context.NewPageAsync();
        await page.RouteAsync(Status, route => route.AbortAsync());
        await page.GotoAsync(new Uri(host.Address, "/wishlists").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Сервер недоступен" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Попробовать ещё раз" })).ToBeVisibleAsync();
        await page.GotoAsync(host.Address.ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "The server cannot be reached" })).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.Locator("[data-account=alice]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Many_wrong_passwords_count_down_and_keep_input_and_focus()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser);
        var page = await context.NewPageAsync();
        var start = host.Time.GetUtcNow().UtcDateTime;
        await page.Clock.InstallAsync(new() { TimeDate = start });
        await page.GotoAsync(new Uri(host.Address, "/documents").ToString());
        await Expect(page.Locator("[data-account=alice]")).ToBeVisibleAsync();
        await page.Clock.PauseAtAsync(start.AddMinutes(10));
        var password = page.GetByLabel("Password");
        await page.GetByLabel("User name").FillAsync("alice");
        await password.FillAsync("not-the-password");
        var submit = page.Locator(".sign-in button[type=submit]");
        var tooMany = page.GetByText("Too many attempts.");
        // Each further failure doubles the wait, from one second.
        var first = 0;
        for (var attempt = 0; attempt < 30 && first < 4; attempt++)
        {
            await page.Clock.RunForAsync(first * 1000);
            host.Time.Advance(TimeSpan.FromSeconds(first));
            var answer = await page.RunAndWaitForResponseAsync(() => password.PressAsync("Enter"), "**/api/v1/auth/login");
            await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
            await Expect(password).ToBeFocusedAsync();
            if (answer.Status != 429)
            {
                first = 0;
                continue;
            }
            await Expect(submit).ToHaveTextAsync(new Regex("^Try again in [0-9]+ s$"));
            first = await SecondsAsync(submit);
        }
        await Expect(tooMany).ToBeVisibleAsync();
        await Expect(submit).ToHaveAttributeAsync("aria-disabled", "true");
        await page.Clock.RunForAsync(1000);
        Assert.Equal(first - 1, await SecondsAsync(submit));
        await page.PictureAsync("too-many");
        await Expect(page.GetByLabel("User name")).ToHaveValueAsync("alice");
        await Expect(password).ToHaveValueAsync("not-the-password");
        await Expect(password).ToBeFocusedAsync();

        // The button takes the focus and no attempt while it counts.
        var attempts = page.Watch(request => request.Url.EndsWith("/login", StringComparison.Ordinal));
        await submit.ClickAsync(new() { Force = true });
        await Expect(submit).ToBeFocusedAsync();
        Assert.Empty(attempts);
        await page.Clock.RunForAsync(first * 1000);
        await Expect(submit).ToHaveTextAsync("Sign in");
        await Expect(tooMany).ToBeHiddenAsync();
        await Expect(submit).ToBeFocusedAsync();
        host.Time.Advance(TimeSpan.FromSeconds(first + 1));
        await password.FillAsync(Dunlin.Host.DemoData.Password);
        await password.PressAsync("Enter");
        await Expect(page.Locator("[data-user=alice]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Wrong_address_shows_a_page_with_links_to_all_systems()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(
            browser.Browser,
            "dave",
            "/",
            new()
            {
                ViewportSize = new() { Width = 320, Height = 700 },
            }
        );
        foreach (var path in new[] { "/documnts", "/focus/history", "/apps" })
        {
            var response = await page.GotoAsync(new Uri(host.Address, path).ToString());
            Assert.Equal(404, response!.Status);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "There is no page at this address" })).ToBeVisibleAsync();
        }
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await page.PictureAsync("not-found");
        var links = await page.GetByRole(AriaRole.Navigation, new() { Name = "Systems" }).GetByRole(AriaRole.Link).AllAsync();
        Assert.Equal(5, links.Count);
        foreach (var link in links)
        {
            var address = new Uri(host.Address, await link.GetAttributeAsync("href"));
            Assert.Equal(200, (await page.APIRequest.GetAsync(address.ToString())).Status);
        }
        await page.GetByRole(AriaRole.Link, new() { Name = "Warranty cases" }).ClickAsync();
        await page.WaitForURLAsync("**/branch/3");
    }

    private static async Task<int> SecondsAsync(ILocator button) =>
        int.Parse(Regex.Match(await button.InnerTextAsync(), "[0-9]+").Value, System.Globalization.CultureInfo.InvariantCulture);
}
