using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

public sealed class TodosTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_task_created_in_one_window_appears_in_the_other()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        await Expect(alice.Locator("[data-task]")).ToHaveCountAsync(4);
        await AddAsync(alice, "Charge the torch");
        await Expect(Entry(bob, "Charge the torch")).ToHaveCountAsync(1);
        await Expect(alice.Locator("[data-unsent]")).ToHaveCountAsync(0);
        await alice.PictureAsync("todos-tasks");
        await bob.Locator("[data-list=demo-groceries]").ClickAsync();
        await bob.GetByLabel("More Apples", new() { Exact = true }).ClickAsync();
        await Expect(bob.Locator("[data-quantity='7']")).ToHaveCountAsync(1);
        await bob.PictureAsync("todos-shopping");
    }

    [Fact]
    public async Task Concurrent_offline_edits_converge_without_loss()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        await Expect(bob.Locator("[data-task]")).ToHaveCountAsync(4);

        await bob.Context.SetOfflineAsync(true);
        await Expect(bob.Locator(".connection[data-connection=offline]")).ToBeVisibleAsync();
        await AddAsync(bob, "Made by Bob offline");
        await bob.Locator("[data-task=t1] input[type=checkbox]").ClickAsync();
        await Expect(bob.Locator("[data-pending='2']")).ToBeVisibleAsync();
        await Expect(bob.Locator("[data-task][data-unsent]")).ToHaveCountAsync(2);
        await bob.PictureAsync("todos-offline");

        await RenameAsync(alice, "t1", "Borrow the better scope");
        await AddAsync(alice, "Made by Alice meanwhile");
        await alice.Locator("[data-task=t2] .entry-delete").ClickAsync();
        await Expect(alice.Locator("[data-task]")).ToHaveCountAsync(4);
        await Expect(alice.Locator("[data-unsent]")).ToHaveCountAsync(0);

        await bob.Context.SetOfflineAsync(false);
        foreach (var page in new[] { alice, bob })
        {
            await Expect(Entry(page, "Made by Bob offline")).ToHaveCountAsync(1);
            await Expect(Entry(page, "Made by Alice meanwhile")).ToHaveCountAsync(1);
            // Both offline changes of one task: her title and his check mark.
            await Expect(page.Locator("[data-task=t1][data-done=true]")).ToHaveAttributeAsync("data-title", "Borrow the better scope");
            await Expect(page.Locator("[data-task=t2]")).ToHaveCountAsync(0);
            await Expect(page.Locator("[data-task]")).ToHaveCountAsync(5);
            await Expect(page.Locator("[data-unsent]")).ToHaveCountAsync(0);
        }
        await LiveAsync(bob);
    }

    [Fact]
    public async Task A_shared_list_appears_and_disappears_when_unshared()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos");
        var dave = await host.OpenAsync(browser.Browser, "dave", "/todos");
        await LiveAsync(alice, dave);
        await alice.GetByLabel("Name of a new list").FillAsync("Ringing station");
        await alice.GetByLabel("Name of a new list").PressAsync("Enter");
        await Expect(alice.GetByLabel("Name of the list")).ToHaveValueAsync("Ringing station");
        await AddAsync(alice, "Order rings");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).First.ClickAsync();
        await alice.GetByLabel("User name to invite").FillAsync("dave");
        await alice.GetByLabel("User name to invite").PressAsync("Enter");
        await Expect(alice.Locator("[data-invited=dave]")).ToContainTextAsync("invited");
        var invitation = dave.Locator("[data-invitation]");
        await Expect(invitation).ToContainTextAsync("Alice Archer invites you to Ringing station");
        await Expect(dave.Locator("[data-list]", new() { HasTextString = "Ringing station" })).ToHaveCountAsync(0);
        await dave.GetByRole(AriaRole.Button, new() { Name = "Accept the invitation to Ringing station" }).FocusAsync();
        await dave.Keyboard.PressAsync("Enter");
        await Expect(invitation).ToHaveCountAsync(0);
        await Expect(alice.Locator("[data-member=dave]")).ToContainTextAsync("Dave Dyer");
        await Expect(alice.Locator("[data-invited]")).ToHaveCountAsync(0);
        var shared = dave.Locator("[data-list]", new() { HasTextString = "Ringing station" });
        await Expect(shared).ToHaveCountAsync(1);
        await shared.ClickAsync();
        await Expect(Entry(dave, "Order rings")).ToHaveCountAsync(1);
        await alice.PictureAsync("todos-sharing");
        await alice.Locator("[data-member=dave]").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(shared).ToHaveCountAsync(0);
        await Expect(dave.GetByText("This list is not here")).ToBeVisibleAsync();
        await Expect(Entry(dave, "Order rings")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task An_invitation_is_declined_by_keyboard_on_a_phone_and_focus_stays()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk");
        var dave = await host.OpenAsync(
            browser.Browser,
            "dave",
            "/todos",
            new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
            }
        );
        await LiveAsync(alice, dave);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).First.ClickAsync();
        await alice.GetByLabel("User name to invite").FillAsync("dave");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        var decline = dave.GetByRole(AriaRole.Button, new() { Name = "Decline the invitation to My desk" });
        await Expect(decline).ToBeVisibleAsync();
        await dave.PictureAsync("todos-phone-invitation");
        Assert.Equal(390, await dave.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await decline.FocusAsync();
        await dave.Keyboard.PressAsync("Enter");
        await Expect(dave.Locator("[data-invitation]")).ToHaveCountAsync(0);
        await Expect(dave.Locator("[data-invitations]")).ToBeFocusedAsync();
        await Expect(alice.Locator("[data-invited=dave]")).ToHaveCountAsync(1);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Withdraw the invitation of dave" }).ClickAsync();
        await Expect(alice.Locator("[data-invited]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_page_keeps_data_across_a_server_restart_and_sends_changes()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk");
        await LiveAsync(alice);
        await Expect(alice.Locator("[data-task]")).ToHaveCountAsync(1);
        await alice.Context.RouteAsync("**/api/v1/replicache/**", route => route.AbortAsync());
        await AddAsync(alice, "While the server was away");
        await Expect(alice.Locator("[data-pending='1']")).ToBeVisibleAsync();
        await host.RestartAsync();
        await alice.Context.UnrouteAllAsync();
        await Expect(alice.Locator("[data-unsent]")).ToHaveCountAsync(0);
        var another = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk");
        await Expect(Entry(another, "While the server was away")).ToHaveCountAsync(1);
    }

    [Fact]
    [Trait("Needs", "EventSource")]
    public async Task The_stream_page_displays_the_raw_stream()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "bob", "/todos/stream");
        await Expect(page.Locator("[data-stream=open]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-word=connected]")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Poke me" }).ClickAsync();
        await Expect(page.Locator("[data-word=sync]")).ToHaveCountAsync(1);
        await Expect(page.GetByText("User-specific sync triggered")).ToBeVisibleAsync();
        await page.PictureAsync("todos-stream");
    }

    [Fact]
    public async Task A_phone_shows_the_lists_first_and_then_one_list()
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
        await page.PictureAsync("todos-phone-lists");
        await page.Locator("[data-list=demo-groceries]").ClickAsync();
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(4);
        await page.PictureAsync("todos-phone-list");
        Assert.Equal(390, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await page.GetByLabel("Back to all lists").ClickAsync();
        await Expect(page.Locator("[data-list=demo-trip]")).ToBeVisibleAsync();
    }
}
