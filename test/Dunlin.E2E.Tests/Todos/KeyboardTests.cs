using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>The page without a mouse, and what can be taken back.</summary>
public sealed class KeyboardTests(BrowserFixture browser)
{
    [Fact]
    public async Task All_daily_work_is_done_by_keyboard_alone()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/todos");
        var keys = page.Keyboard;
        // The demo entries are milliseconds newer than the server's time, and a new entry comes last.
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await LiveAsync(page);
        // The first list opens by itself.
        await OrderAsync(page, "t1", "t2", "t3", "t0");
        Assert.EndsWith("/todos/demo-trip", page.Url, StringComparison.Ordinal);

        // A new task.
        await keys.PressAsync("n");
        await Expect(page.GetByLabel("New task")).ToBeFocusedAsync();
        await keys.TypeAsync("By keyboard");
        await keys.PressAsync("Enter");
        await Expect(page.Locator("[data-task]").Nth(3)).ToHaveAttributeAsync("data-title", "By keyboard");

        // From entry to entry, over the texts too.
        await keys.PressAsync("ArrowDown");
        await Expect(Checkbox(page, "t1")).ToBeFocusedAsync();
        await keys.PressAsync("ArrowDown");
        await Expect(Checkbox(page, "t2")).ToBeFocusedAsync();
        await keys.PressAsync("ArrowUp");
        await keys.PressAsync("ArrowUp");
        await Expect(page.GetByLabel("New task")).ToBeFocusedAsync();
        await keys.PressAsync("ArrowDown");

        // Moved, and the focus goes with it.
        await keys.PressAsync("Control+ArrowDown");
        await Expect(page.Locator("[data-task]").First).ToHaveAttributeAsync("data-task", "t2");
        await Expect(Checkbox(page, "t1")).ToBeFocusedAsync();
        await Expect(page.GetByText("Borrow the spotting scope is at place 2 of 4.")).ToHaveCountAsync(1);
        await keys.PressAsync("Control+ArrowUp");
        await Expect(page.Locator("[data-task]").First).ToHaveAttributeAsync("data-task", "t1");

        // Renamed: the focus returns to the entry.
        await keys.PressAsync("Tab");
        await Expect(Title(page, "t1")).ToBeFocusedAsync();
        await keys.PressAsync("Control+A");
        await keys.TypeAsync("Renamed");
        await keys.PressAsync("Enter");
        await Expect(Entry(page, "Renamed")).ToHaveCountAsync(1);
        await Expect(Checkbox(page, "t1")).ToBeFocusedAsync();

        // Completed, and taken back: the next entry has the focus.
        await keys.PressAsync("Space");
        await Expect(page.Locator("[data-task=t1][data-done=true]")).ToHaveCountAsync(1);
        await Expect(Checkbox(page, "t2")).ToBeFocusedAsync();
        await Expect(page.Locator(".toast")).ToContainTextAsync("“Renamed” is done.");
        await keys.PressAsync("Control+z");
        await Expect(page.Locator("[data-task=t1][data-done=false]")).ToHaveCountAsync(1);
        await Expect(page.Locator(".toast")).ToHaveCountAsync(0);

        // Deleted, and taken back into its place.
        await keys.PressAsync("Delete");
        await Expect(page.Locator("[data-task=t2]")).ToHaveCountAsync(0);
        await Expect(Checkbox(page, "t3")).ToBeFocusedAsync();
        await keys.PressAsync("Control+z");
        await Expect(page.Locator("[data-task]").Nth(1)).ToHaveAttributeAsync("data-task", "t2");

        // Enter on an entry: the next new one.
        await keys.PressAsync("Enter");
        await Expect(page.GetByLabel("New task")).ToBeFocusedAsync();
        await keys.PressAsync("ArrowDown");

        await keys.PressAsync("?");
        await Expect(page.GetByRole(AriaRole.Dialog, new() { Name = "Keyboard" })).ToBeVisibleAsync();
        await page.PictureAsync("todos-keyboard");
        await keys.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(Checkbox(page, "t1")).ToBeFocusedAsync();

        await keys.PressAsync("/");
        await Expect(page.GetByLabel("Search all lists")).ToBeFocusedAsync();
        await keys.TypeAsync("milk");
        await keys.PressAsync("ArrowDown");
        await Expect(Checkbox(page, "i0")).ToBeFocusedAsync();
        await keys.PressAsync("t");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing is due today" })).ToBeVisibleAsync();
        await SentAsync(page);
    }

    [Fact]
    public async Task Deleting_and_completing_can_be_undone_for_everybody()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        var undo = alice.Locator(".toast").GetByRole(AriaRole.Button, new() { Name = "Undo" });
        await alice.GetByLabel("Delete Check the tide tables").ClickAsync();
        await OrderAsync(bob, "t1", "t3", "t0");
        await alice.PictureAsync("todos-undo");
        await undo.ClickAsync();
        await Expect(alice.Locator(".toast")).ToHaveCountAsync(0);
        foreach (var page in new[] { alice, bob })
            await OrderAsync(page, "t1", "t2", "t3", "t0");
        await Checkbox(alice, "t1").ClickAsync();
        await OrderAsync(bob, "t2", "t3", "t0", "t1");
        await undo.ClickAsync();
        await OrderAsync(bob, "t1", "t2", "t3", "t0");

        // A shopping item keeps its quantity.
        await alice.Locator("[data-list=demo-groceries]").ClickAsync();
        await alice.GetByLabel("Delete Apples").ClickAsync();
        await Expect(Entry(alice, "Apples")).ToHaveCountAsync(0);
        await undo.ClickAsync();
        await Expect(Entry(alice, "Apples").Locator("[data-quantity='6']")).ToHaveCountAsync(1);
        await SentAsync(alice);
    }

    [Fact]
    public async Task A_long_title_wraps_on_a_narrow_phone()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(
            browser.Browser,
            "alice",
            "/todos/demo-desk",
            new()
            {
                ViewportSize = new() { Width = 320, Height = 700 },
            }
        );
        await LiveAsync(page);
        await AddAsync(page, string.Concat(Enumerable.Repeat("A title of many words ", 12)).Trim());
        await AddAsync(page, new string('W', 120));
        var hidden = await page.Locator(".entry-title textarea")
            .EvaluateAllAsync<int>("fields => Math.max(...fields.map(field => field.scrollHeight - field.clientHeight))");
        Assert.InRange(hidden, 0, 1);
        Assert.Equal(320, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await page.PictureAsync("todos-wrapped");
    }
}
