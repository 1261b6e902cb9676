using System.Net.Http.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Three users and one document: editing, reading and queueing.</summary>
public sealed class HandOverTests(BrowserFixture browser)
{
    [Fact]
    public async Task Lock_marks_update_live_and_the_waiting_reader_edits_the_saved_text()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol, dave) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"), await OpenAsync(host, "dave"));

        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        await Expect(bob.File(file)).ToHaveAttributeAsync("data-lock", "mine");
        await Expect(carol.File(file)).ToHaveAttributeAsync("data-lock", "other");
        await Expect(dave.File(file)).ToHaveAttributeAsync("data-lock", "other");
        await Expect(dave.File(file)).ToContainTextAsync("Bob Baker");

        await carol.OpenFileAsync(file);
        await carol.IsReadOnlyAsync();
        await Expect(carol.Toast(DocumentPage.Locked)).ToBeVisibleAsync();
        await dave.OpenFileAsync(file);
        await dave.IsReadOnlyAsync();
        await carol.Page.PictureAsync("documents-locked");

        await bob.TypeAsync("<letter>As Bob left it</letter>");
        await bob.Page.PictureAsync("documents-editing");
        await bob.SaveAsync();
        await Expect(carol.Text).ToHaveTextAsync("<letter>As Bob left it</letter>");
        await bob.LeaveAsync();

        await Expect(carol.Toast(DocumentPage.Editable)).ToBeVisibleAsync();
        await carol.IsEditableAsync();
        await Expect(carol.Text).ToHaveTextAsync("<letter>As Bob left it</letter>");
        await Expect(bob.File(file)).ToHaveAttributeAsync("data-lock", "other");
        await Expect(bob.File(file)).ToContainTextAsync("Carol Carter");
        await dave.IsReadOnlyAsync();
        await Expect(dave.Toast(DocumentPage.Editable)).ToHaveCountAsync(0);
        await carol.Page.PictureAsync("documents-handed-over");
    }

    [Fact]
    public async Task In_100_hand_overs_exactly_one_of_two_waiting_pages_wins()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        DocumentPage[] pages = [await OpenAsync(host, "bob"), await OpenAsync(host, "carol"), await OpenAsync(host, "alice")];
        foreach (var page in pages)
            await page.OpenFileAsync(file);
        var holder = pages[0];
        await holder.IsEditableAsync();
        for (var round = 0; round < 100; round++)
        {
            var waiting = pages.Where(p => p != holder).ToArray();
            foreach (var page in waiting)
                await Expect(page.Page.Locator("main[data-mode=locked]")).ToHaveCountAsync(1);
            await holder.LeaveAsync();
            var first = await Task.WhenAny(
                waiting.Select(async p =>
                {
                    await p.Page.Locator("[data-editor=editable]").WaitForAsync();
                    return p;
                })
            );
            var winner = await first;
            var loser = waiting.Single(p => p != winner);
            Assert.Single(await api.LockedByAsync(file));
            await Expect(loser.Page.Locator("main[data-mode=locked] [data-editor=readonly]")).ToHaveCountAsync(1);
            await Expect(loser.File(file)).ToHaveAttributeAsync("data-lock", "other");
            await holder.OpenFileAsync(file);
            holder = winner;
        }
    }

    [Fact]
    public async Task Waiting_users_are_named_in_order_and_get_the_lock_in_order()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol, alice) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"), await OpenAsync(host, "alice"));
        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        await alice.OpenFileAsync(file);
        await carol.OpenFileAsync(file);
        await carol.Button("Tell me when it is my turn").ClickAsync();
        await alice.Button("Tell me when it is my turn").ClickAsync();
        await Expect(bob.Queue).ToHaveTextAsync(["Carol Carter", "Alice Archer"]);
        await Expect(carol.Queue).ToHaveTextAsync(["you", "Alice Archer"]);
        await alice.Button("Leave the queue").ClickAsync();
        await Expect(bob.Queue).ToHaveTextAsync(["Carol Carter"]);
        await carol.Page.PictureAsync("documents-queued");
        await bob.LeaveAsync();
        await carol.IsEditableAsync();
        await Expect(carol.Toast(DocumentPage.Editable)).ToBeVisibleAsync();
        await alice.IsReadOnlyAsync();
    }

    [Fact]
    public async Task Tabs_of_one_browser_do_not_conflict_and_the_next_continues()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var first = await OpenAsync(host, "bob");
        await first.OpenFileAsync(file);
        await first.IsEditableAsync();
        var second = new DocumentPage(await first.Page.Context.NewPageAsync());
        await second.Page.GotoAsync(new Uri(host.Address, $"/documents/{file}").ToString());
        await second.ReadyAsync();
        await Expect(second.Page.Locator("main[data-mode=otherTab] [data-editor=readonly]")).ToHaveCountAsync(1);
        await first.TypeAsync("<letter>From the first tab</letter>");
        await first.SaveAsync();
        await Expect(second.Text).ToHaveTextAsync("<letter>From the first tab</letter>");

        await first.Page.CloseAsync(new() { RunBeforeUnload = false });
        await second.IsEditableAsync();
        await second.TypeAsync("<letter>From the second tab</letter>");
        await second.SaveAsync();
        Assert.Equal("<letter>From the second tab</letter>", await api.TextAsync(file));
    }

    [Fact]
    public async Task A_killed_browser_frees_its_lock_when_it_expires()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        await using var doomed = await KillableBrowser.StartAsync();
        var bob = await OpenOwnAsync(host, doomed.Browser, "bob");
        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        var carol = await OpenAsync(host, "carol");
        await carol.OpenFileAsync(file);
        await carol.IsReadOnlyAsync();

        await doomed.KillAsync();
        await api.WhenGoneAsync("bob");
        await api.PassAsync(host, 50);
        Assert.Equal(["Bob Baker"], await api.LockedByAsync(file));
        await carol.IsReadOnlyAsync();
        await api.PassAsync(host, 46);
        // A timer that the server sets while time advances may be late by this clock.
        for (var i = 0; i < 30 && (await api.LockedByAsync(file)).Contains("Bob Baker"); i++)
            await api.PassAsync(host, 2);

        await Expect(carol.Toast(DocumentPage.Editable)).ToBeVisibleAsync();
        await carol.IsEditableAsync();
        Assert.Equal(["Carol Carter"], await api.LockedByAsync(file));
    }

    [Fact]
    public async Task A_forced_sign_out_shows_the_reason_and_frees_the_lock_at_once()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "carol");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol, alice) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"), await OpenAsync(host, "alice"));
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>Not saved</letter>");
        await carol.OpenFileAsync(file);

        await alice.Button("Administration").ClickAsync();
        await Expect(alice.Page.Locator("[data-session=bob]")).ToHaveCountAsync(1);
        await alice.Page.PictureAsync("documents-administration");
        await alice.Button("End the session of Bob Baker").ClickAsync();

        await Expect(bob.Page.Locator("[data-gate]")).ToContainTextAsync("You have been signed out by an administrator");
        await carol.IsEditableAsync();
        await Expect(carol.Toast(DocumentPage.Editable)).ToBeVisibleAsync();
        await bob.Page.PictureAsync("documents-forced-out");

        // The typed text is still available after the next sign-in.
        await bob.Page.Locator("[data-account=bob]").ClickAsync();
        await bob.ReadyAsync();
        await bob.OpenFileAsync(file);
        await Expect(bob.Page.GetByText("You have an unsaved draft")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Deletion_clears_text_and_source_for_readers_with_a_message()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, source) = await api.LetterAsync();
        var (dave, carol, bob) = (await OpenAsync(host, "dave"), await OpenAsync(host, "carol"), await OpenAsync(host, "bob"));
        await dave.OpenFileAsync(file);
        await Expect(dave.Source).ToHaveAttributeAsync("src", $"/api/v1/files/{source}?dunlin-user=dave");
        await bob.OpenFileAsync(gold);
        await carol.OpenFileAsync(file);
        await carol.Button("Delete").ClickAsync();
        await carol.Page.PictureAsync("documents-delete");
        await carol.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();

        await Expect(dave.Toast("The document you were viewing was deleted by another user")).ToBeVisibleAsync();
        await Expect(dave.Page.Locator("main[data-open='']")).ToHaveCountAsync(1);
        await Expect(dave.Text).ToHaveTextAsync("");
        Assert.Null(await dave.Source.GetAttributeAsync("src"));
        await Expect(dave.File(file)).ToHaveCountAsync(0);
        await Expect(bob.File(file)).ToHaveCountAsync(0);
        await Expect(bob.Page.Locator($"main[data-open='{gold}']")).ToHaveCountAsync(1);
        await dave.Page.PictureAsync("documents-deleted");
    }

    [Fact]
    public async Task Only_the_owner_of_all_file_locks_deletes_the_document()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await carol.OpenFileAsync(gold);
        await bob.OpenFileAsync(file);
        await DeleteAllAsync();
        await Expect(carol.Toast("Nothing was deleted: Bob Baker is editing one of the files")).ToBeVisibleAsync();
        await carol.IsEditableAsync();
        await bob.LeaveAsync();
        await Expect(carol.File(file)).ToHaveAttributeAsync("data-lock", "free");
        await DeleteAllAsync();
        await Expect(bob.File(gold)).ToHaveCountAsync(0);
        await Expect(carol.File(file)).ToHaveCountAsync(0);

        async Task DeleteAllAsync()
        {
            await carol.Button("Delete").ClickAsync();
            await carol.Page.GetByLabel("Delete the whole document").CheckAsync();
            await carol.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        }
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user) => DocumentPage.OpenAsync(host, browser, user);

    private static async Task<DocumentPage> OpenOwnAsync(TestHost host, IBrowser other, string user)
    {
        var context = await other.NewContextAsync();
        await context.APIRequest.PostAsync(
            new Uri(host.Address, "/api/v1/auth/login").ToString(),
            new() { DataObject = new { username = user, password = "dunlin-demo" } }
        );
        var page = new DocumentPage(await context.NewPageAsync());
        await page.Page.GotoAsync(new Uri(host.Address, "/documents").ToString());
        await page.ReadyAsync();
        return page;
    }
}
