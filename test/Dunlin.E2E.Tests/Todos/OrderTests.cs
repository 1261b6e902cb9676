using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>The order of entries, which every member can change.</summary>
public sealed class OrderTests(BrowserFixture browser)
{
    [Fact]
    public async Task An_entry_is_dragged_or_moved_by_buttons_and_others_see_it()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        await OrderAsync(alice, "t1", "t2", "t3", "t0");

        var from = (await alice.GetByLabel("Move Pack boots and gaiters").BoundingBoxAsync())!;
        var to = (await alice.GetByLabel("Move Borrow the spotting scope").BoundingBoxAsync())!;
        await alice.Mouse.MoveAsync(from.X + 10, from.Y + 10);
        await alice.Mouse.DownAsync();
        await alice.Mouse.MoveAsync(from.X + 10, from.Y, new() { Steps = 3 });
        await alice.Mouse.MoveAsync(to.X + 10, to.Y, new() { Steps = 10 });
        await Expect(alice.Locator("[data-dragged]")).ToHaveCountAsync(1);
        await alice.PictureAsync("todos-drag");
        await alice.Mouse.UpAsync();
        await OrderAsync(alice, "t3", "t1", "t2", "t0");

        // While she types in it, the entry that he moves keeps the text and the focus.
        await Title(alice, "t2").FillAsync("Half typed");
        await OrderAsync(bob, "t3", "t1", "t2", "t0");
        await bob.GetByLabel("Move Check the tide tables", new() { Exact = true }).ClickAsync();
        await bob.GetByLabel("Move Check the tide tables up").ClickAsync();
        await bob.GetByLabel("Move Check the tide tables up").ClickAsync();
        await bob.PictureAsync("todos-move-buttons");
        await OrderAsync(alice, "t2", "t3", "t1", "t0");
        await Expect(Title(alice, "t2")).ToBeFocusedAsync();
        await Expect(Title(alice, "t2")).ToHaveValueAsync("Half typed");

        // A new entry comes last. The demo entries are milliseconds newer than the server's time.
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await AddAsync(bob, "Newest");
        await Expect(alice.Locator("[data-task]").Nth(3)).ToHaveAttributeAsync("data-title", "Newest");
    }

    [Fact]
    public async Task Concurrent_offline_moves_converge_to_one_order()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        await OrderAsync(bob, "t1", "t2", "t3", "t0");
        foreach (var page in new[] { alice, bob })
            await page.Context.SetOfflineAsync(true);

        // Both move another entry to the first place.
        await Checkbox(alice, "t3").FocusAsync();
        await alice.Keyboard.PressAsync("Control+ArrowUp");
        await OrderAsync(alice, "t1", "t3", "t2", "t0");
        await alice.Keyboard.PressAsync("Control+ArrowUp");
        await OrderAsync(alice, "t3", "t1", "t2", "t0");
        await Checkbox(bob, "t2").FocusAsync();
        await bob.Keyboard.PressAsync("Control+ArrowUp");
        await OrderAsync(bob, "t2", "t1", "t3", "t0");

        foreach (var page in new[] { alice, bob })
            await page.Context.SetOfflineAsync(false);
        foreach (var page in new[] { alice, bob })
        {
            await SentAsync(page);
            await OrderAsync(page, "t2", "t3", "t1", "t0");
        }
    }
}
