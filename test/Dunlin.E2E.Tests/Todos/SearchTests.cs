using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>The search over all lists of a user.</summary>
public sealed class SearchTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_search_finds_entries_of_all_lists_and_leads_to_them()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(
            browser.Browser,
            "alice",
            "/todos",
            new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
            }
        );
        await LiveAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "Search" }).ClickAsync();
        var field = page.GetByLabel("Search all lists");
        await Expect(field).ToBeFocusedAsync();
        await field.FillAsync("B");
        // Tasks and shopping items, the open ones first.
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(6);
        await Expect(page.Locator("[data-task]").First).ToHaveAttributeAsync("data-title", "Borrow the spotting scope");
        await Expect(page.Locator("[data-results='6']")).ToHaveTextAsync("6 results");
        await page.PictureAsync("todos-search");
        await field.FillAsync("BREAD rye");
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(1);
        await page.ReloadAsync();
        await Expect(field).ToHaveValueAsync("BREAD rye");
        await Expect(Entry(page, "Rye bread")).ToHaveCountAsync(1);

        // A result is the entry itself.
        await Checkbox(page, "i1").ClickAsync();
        await Expect(page.Locator("[data-task=i1][data-done=false]")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Link, new() { Name = "Groceries" }).Locator("visible=true").ClickAsync();
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(4);
        await page.GoBackAsync();
        await Expect(field).ToHaveValueAsync("BREAD rye");
        await field.FillAsync("nothing like this");
        await Expect(page.Locator("[data-results='0']")).ToHaveTextAsync("Nothing found.");
        Assert.Equal(390, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }
}
