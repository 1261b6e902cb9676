using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

public sealed class LandingTests(BrowserFixture browser)
{
    private const string Holes = """
        () => {
          const cards = [...document.querySelectorAll('.card-place')].map(card => card.getBoundingClientRect());
          const grid = document.querySelector('.cards').getBoundingClientRect();
          return Object.values(Object.groupBy(cards, card => Math.round(card.top)))
            .filter(row => Math.abs(Math.max(...row.map(card => card.right)) - grid.right) > 1).length;
        }
        """;

    [Fact]
    public async Task The_landing_page_signs_in_a_demo_account_and_links_the_systems()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser);
        var page = await context.NewPageAsync();
        await page.GotoAsync(host.Address.ToString());
        // A visitor learns nothing of anyone's data.
        await Expect(page.Locator("[data-account=bob]")).ToBeVisibleAsync();
        await Expect(page.Locator(".card-fact:visible")).ToHaveCountAsync(0);
        await page.Locator("[data-account=bob]").ClickAsync();
        await Expect(page.GetByText("Bob Baker").First).ToBeVisibleAsync();
        await page.PictureAsync("landing");
        await page.GetByRole(AriaRole.Link, new() { Name = "Warranty cases" }).ClickAsync();
        await page.WaitForURLAsync("**/branch/1");
    }

    [Fact]
    public async Task Warranty_tile_leads_to_the_users_own_branch_or_says_there_is_none()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "dave", "/");
        var tile = page.Locator("[data-system=warranty]");
        await Expect(tile.Locator("a")).ToHaveAttributeAsync("href", "/branch/3");
        await Expect(tile.Locator(".card-fact")).ToHaveTextAsync(new Regex("^.+: 20 cases$"));
        // The address without a number leads there too, also through a sign-in.
        var visitor = await (await host.ContextAsync(browser.Browser)).NewPageAsync();
        await visitor.GotoAsync(new Uri(host.Address, "/branch").ToString());
        await visitor.Locator("[data-account=dave]").ClickAsync();
        await visitor.WaitForURLAsync("**/branch/3");

        // Somebody without a branch.
        await page.RouteAsync("**/api/warranty/branches", route => route.FulfillAsync(new() { Json = Array.Empty<object>() }));
        await page.ReloadAsync();
        await Expect(tile.Locator(".card-fact")).ToHaveTextAsync("You belong to no branch");
        await Expect(tile.Locator("a")).ToHaveCountAsync(0);
        await page.GotoAsync(new Uri(host.Address, "/branch").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "You belong to no branch" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Tiles_follow_changes_of_every_system_and_vanish_at_sign_out()
    {
        await using var host = await TestHost.StartAsync();
        using var alice = await host.ClientAsync("alice");
        alice.DefaultRequestHeaders.Add("Dunlin-Device", "tablet");
        var page = await host.OpenAsync(browser.Browser, "alice", "/");
        await Expect(page.Locator(".connection[data-connection=live]")).ToBeVisibleAsync();
        await Expect(page.Locator(".card-fact:visible")).ToHaveCountAsync(5);
        await page.PictureAsync("landing-tiles");
        ILocator Fact(string system) => page.Locator($"[data-system={system}] .card-fact");
        await Expect(Fact("focus")).ToContainTextAsync("No timer runs");
        await Expect(Fact("documents")).ToHaveTextAsync("Nobody edits a document now");
        var todos = await Fact("todos").InnerTextAsync();
        var lists = await Fact("wishlists").InnerTextAsync();

        await SendAsync(alice, "/api/timer/start", new { taskTitle = "Plan the week", plannedMinutes = 25 });
        await Expect(Fact("focus")).ToHaveTextAsync(new Regex("^Plan the week: 2[45]:[0-9]{2} left$"));
        var list = await alice.GetFromJsonAsync<System.Text.Json.JsonElement>("/api/v1/files/list");
        var file = list.GetProperty("documents")[0].GetProperty("files")[0].GetProperty("stable_id").GetString();
        await SendAsync(alice, "/api/v1/files/acquire_lock", new { file_id = file });
        await Expect(Fact("documents")).ToHaveTextAsync("1 document in work now");
        await SendAsync(alice, "/api/v1/wishlists", new { name = "Anniversary" });
        await Expect(Fact("wishlists")).Not.ToHaveTextAsync(lists);
        await SendAsync(alice, "/api/warranty/branches/1/cases", new { customerName = "Zoe" });
        await Expect(Fact("warranty")).ToContainTextAsync(": 21 cases");
        var tab = await page.Context.NewPageAsync();
        var system = SystemPage.Of("todos");
        await tab.GotoAsync(new Uri(host.Address, system.Path).ToString());
        await system.ReadyAsync(tab);
        await tab.Locator(".new-entry input").FillAsync("One more");
        await tab.Locator(".new-entry input").PressAsync("Enter");
        await Expect(Fact("todos")).Not.ToHaveTextAsync(todos);
        await tab.CloseAsync();

        await page.Locator(".landing-account").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.Locator("[data-account=alice]")).ToBeVisibleAsync();
        await Expect(page.Locator(".card-fact:visible")).ToHaveCountAsync(0);
        Assert.DoesNotContain("Plan the week", await page.ContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cards_fill_every_width_and_come_first_on_a_phone()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/");
        await Expect(page.Locator(".card-fact:visible")).ToHaveCountAsync(5);
        foreach (var width in new[] { 320, 390, 700, 860, 861, 1000, 1280, 1920 })
        {
            await page.SetViewportSizeAsync(width, 900);
            await Expect(page.Locator(width <= 860 ? ".hero + .cards" : ".landing-account + .cards")).ToBeVisibleAsync();
            Assert.Equal(0, await page.EvaluateAsync<int>(Holes));
            Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
            if (width is 390 or 1280)
                await page.PictureAsync($"landing-{width}");
            if (width == 390)
            {
                var box = await page.Locator(".card").First.BoundingBoxAsync();
                Assert.True(box!.Y < 220, $"The first card begins at {box.Y} px.");
            }
        }
    }

    private static async Task SendAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {await response.Content.ReadAsStringAsync()}");
    }
}
