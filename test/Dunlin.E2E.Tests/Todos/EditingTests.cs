using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>A title that one user edits while another user changes it.</summary>
public sealed class EditingTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_field_in_use_keeps_text_focus_and_caret_when_others_change_it()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);

        var title = Title(alice, "t1");
        await title.FillAsync("Alice types here");
        await title.EvaluateAsync("field => field.setSelectionRange(5, 5)");
        await RenameAsync(bob, "t1", "Renamed by Bob");
        await Expect(alice.Locator("[data-task=t1] .editable-meanwhile")).ToContainTextAsync("Renamed by Bob");
        await Expect(title).ToBeFocusedAsync();
        await Expect(title).ToHaveValueAsync("Alice types here");
        Assert.Equal(5, await title.EvaluateAsync<int>("field => field.selectionStart"));
        await alice.PictureAsync("todos-meanwhile");

        // Both texts survive: hers is saved, his is offered.
        await title.PressAsync("Enter");
        await Expect(Entry(bob, "Alice types here")).ToHaveCountAsync(1);
        await Expect(alice.Locator(".toast")).ToContainTextAsync("Renamed by Bob");
        await alice.PictureAsync("todos-conflict");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Use the other text" }).ClickAsync();
        await Expect(alice.Locator(".toast")).ToHaveCountAsync(0);
        foreach (var page in new[] { alice, bob })
            await Expect(Title(page, "t1")).ToHaveValueAsync("Renamed by Bob");

        // Without a change of her own, the field follows when she leaves it.
        await title.FocusAsync();
        await RenameAsync(bob, "t1", "Renamed again");
        await Expect(alice.Locator("[data-task=t1] .editable-meanwhile")).ToContainTextAsync("Renamed again");
        await Expect(title).ToHaveValueAsync("Renamed by Bob");
        await title.PressAsync("Escape");
        await Expect(title).ToHaveValueAsync("Renamed again");
        await Expect(alice.Locator(".toast")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Text_typed_into_a_task_that_others_delete_is_offered_for_copying()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip");
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
        await LiveAsync(alice, bob);
        await Title(alice, "t1").FillAsync("Typed in vain");
        await bob.GetByLabel("Delete Borrow the spotting scope").ClickAsync();
        await Expect(alice.Locator("[data-task=t1]")).ToHaveCountAsync(0);
        await Expect(alice.Locator(".toast")).ToContainTextAsync("“Typed in vain” was not saved");
        await Expect(alice.Locator(".toast").GetByRole(AriaRole.Button, new() { Name = "Copy" })).ToBeVisibleAsync();
    }
}
