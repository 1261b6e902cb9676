using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>One user edits a text. Typed text is never lost.</summary>
public sealed class EditingTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_lock_lost_offline_makes_the_text_read_only_and_offers_a_new_version()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>Typed while the line was dead</letter>");
        await carol.OpenFileAsync(file);

        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Toast("Connection lost")).ToBeVisibleAsync();
        await bob.Page.PictureAsync("documents-offline");
        await api.PassAsync(host, 96);
        await carol.IsEditableAsync();
        await carol.TypeAsync("<letter>Carol's</letter>");
        await carol.SaveAsync();
        await bob.Page.Context.SetOfflineAsync(false);

        await Expect(bob.Page.Locator("main[data-mode=lost]")).ToHaveCountAsync(1);
        await bob.IsReadOnlyAsync();
        await Expect(bob.Text).ToHaveTextAsync("<letter>Typed while the line was dead</letter>");
        await Expect(bob.Toast("Your text is kept as a draft")).ToBeVisibleAsync();
        await Expect(bob.Toast("Connection restored")).ToBeVisibleAsync();
        await bob.Page.PictureAsync("documents-lost");
        // Survives a reload of the page too.
        await bob.Page.ReloadAsync();
        await bob.ReadyAsync();
        await Expect(bob.Page.GetByText("You have an unsaved draft")).ToBeVisibleAsync();
        await Expect(bob.Text).ToHaveTextAsync("<letter>Carol's</letter>");
        await bob.Button("Save it as a new version").ClickAsync();
        await bob.Page.GetByLabel("Name").FillAsync("Rescued");
        await bob.Button("Save as a new version").ClickAsync();

        await Expect(bob.Page.Locator("main[data-mode=editing]")).ToHaveCountAsync(1);
        await Expect(bob.Text).ToHaveTextAsync("<letter>Typed while the line was dead</letter>");
        Assert.Equal("<letter>Carol's</letter>", await api.TextAsync(file));
        await Expect(carol.Page.Locator("[data-file]", new() { HasText = "Rescued" })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Malformed_text_is_marked_and_stays_in_the_editor()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.BadRequest);
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var before = await api.TextAsync(file);
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>\n  <p>open\n</letter>");
        await bob.Button("Save").ClickAsync();
        await Expect(bob.Toast("line 3, column 3")).ToBeVisibleAsync();
        await Expect(bob.Page.Locator(".cm-lintRange-error")).ToHaveCountAsync(1);
        await Expect(bob.Page.Locator(".cm-gutter-lint .cm-lint-marker-error")).ToHaveCountAsync(1);
        await Expect(bob.Text).ToContainTextAsync("<p>open");
        Assert.Equal(before, await api.TextAsync(file));
        await bob.Page.PictureAsync("documents-malformed");

        await bob.Page.ReloadAsync();
        await bob.ReadyAsync();
        await Expect(bob.Toast("Your unsaved changes are back")).ToBeVisibleAsync();
        await bob.IsEditableAsync();
        await Expect(bob.Text).ToContainTextAsync("<p>open");
        await bob.TypeAsync("<letter>\n  <p>closed</p>\n</letter>");
        await bob.SaveAsync();
        Assert.Equal("<letter>\n  <p>closed</p>\n</letter>", await api.TextAsync(file));
    }

    [Fact]
    public async Task Open_and_close_change_no_byte_and_edits_keep_line_endings()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "bob");
        await api.PostAsync(
            "files/import",
            new
            {
                collection = "letters",
                title = "Windows letter",
                xml_string = "\uFEFF<a>\r\n  <b/>\r\n</a>\r\n",
            }
        );
        var bob = await OpenAsync(host, "bob");
        var id = (
            await bob.Page.Locator("section", new() { HasText = "Windows letter" }).Locator("[data-file]").GetAttributeAsync("data-file")
        )!;
        await bob.OpenFileAsync(id);
        await bob.IsEditableAsync();
        await bob.Text.ClickAsync();
        await bob.Page.Keyboard.PressAsync("Control+End");
        await bob.Page.Keyboard.InsertTextAsync("<!-- end -->");
        await bob.SaveAsync();
        Assert.Equal("\uFEFF<a>\r\n  <b/>\r\n</a>\r\n<!-- end -->", await BytesAsync(bob, id));

        static async Task<string> BytesAsync(DocumentPage page, string id)
        {
            var response = await page.Page.Context.APIRequest.GetAsync(new Uri(new Uri(page.Page.Url), $"/api/v1/files/{id}").ToString());
            return new System.Text.UTF8Encoding(false).GetString(await response.BodyAsync());
        }
    }

    [Fact]
    public async Task Versions_can_be_added_compared_promoted_and_found()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var (carol, dave) = (await OpenAsync(host, "carol"), await OpenAsync(host, "dave"));
        await carol.OpenFileAsync(file);
        await carol.Page.GetByLabel("Compare with").SelectOptionAsync(gold);
        await Expect(carol.Page.Locator(".comparison .cm-changedLine").First).ToBeVisibleAsync();
        await carol.Page.PictureAsync("documents-compare");
        await carol.Page.GetByLabel("Compare with").SelectOptionAsync("");
        await Expect(carol.Editor).ToBeVisibleAsync();

        await carol.TypeAsync("<letter>Another reading</letter>");
        await carol.Button("New version").ClickAsync();
        await carol.Page.GetByLabel("Name").FillAsync("Another reading");
        await carol.Button("Save as a new version").ClickAsync();
        await Expect(carol.Toast("Saved as version 4")).ToBeVisibleAsync();
        var added = dave.Page.Locator("[data-file]", new() { HasText = "Another reading" });
        await Expect(added).ToHaveCountAsync(1);

        await Expect(carol.Page.Locator("main[data-mode=editing]")).ToHaveCountAsync(1);
        await carol.Button("Make gold").ClickAsync();
        await carol.Button("Make version 4 gold").ClickAsync();
        await Expect(added).ToHaveAttributeAsync("data-gold", "");
        await Expect(dave.File(gold)).Not.ToHaveAttributeAsync("data-gold", "");

        await dave.Page.GetByLabel("Search documents").FillAsync("another GOLD");
        await Expect(dave.Page.Locator("[data-file]")).ToHaveCountAsync(1);
        await dave.Page.GetByLabel("Search documents").FillAsync("nothing like it");
        await Expect(dave.Page.GetByText("No name matches.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_comparison_appears_despite_events_during_its_load()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var (carol, bob) = (await OpenAsync(host, "carol"), await OpenAsync(host, "bob"));
        await carol.OpenFileAsync(file);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await carol.Page.RouteAsync(
            $"**/{gold}",
            async route =>
            {
                asked.TrySetResult();
                await answer.Task;
                await route.ContinueAsync();
            }
        );
        await carol.Page.GetByLabel("Compare with").SelectOptionAsync(gold);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var another =
            await bob
                .Page.Locator($"[data-file]:not([data-file='{file}']):not([data-file='{gold}']):not([data-gold])")
                .First.GetAttributeAsync("data-file")
            ?? "";
        await bob.OpenFileAsync(another);
        await Expect(carol.File(another)).ToHaveAttributeAsync("data-lock", "other");
        Assert.Equal(gold, await carol.Page.GetByLabel("Compare with").InputValueAsync());
        answer.SetResult();
        await Expect(carol.Page.Locator(".comparison .cm-changedLine").First).ToBeVisibleAsync();
        Assert.Equal(gold, await carol.Page.GetByLabel("Compare with").InputValueAsync());
    }

    [Fact]
    public async Task Opening_editing_and_saving_work_by_keyboard()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var bob = await OpenAsync(host, "bob");
        await bob.File(file).FocusAsync();
        await bob.Page.Keyboard.PressAsync("Enter");
        await bob.IsEditableAsync();
        await Expect(bob.File(file)).ToHaveAttributeAsync("data-lock", "mine");
        for (
            var i = 0;
            i < 60 && !await bob.Page.EvaluateAsync<bool>("() => document.activeElement?.classList.contains('cm-content') === true");
            i++
        )
            await bob.Page.Keyboard.PressAsync("Tab");
        await bob.Page.Keyboard.PressAsync("Control+a");
        await bob.Page.Keyboard.InsertTextAsync("<letter>By the keyboard</letter>");
        await bob.Page.Keyboard.PressAsync("Control+s");
        await Expect(bob.Toast("Saved")).ToBeVisibleAsync();
        Assert.Equal("<letter>By the keyboard</letter>", await api.TextAsync(file));
        // The editor does not capture Tab.
        await bob.Page.Keyboard.PressAsync("Tab");
        Assert.False(await bob.Page.EvaluateAsync<bool>("() => document.activeElement?.classList.contains('cm-content') === true"));
    }

    [Fact]
    public async Task A_phone_shows_either_the_list_or_the_document()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var bob = await DocumentPage.OpenAsync(
            host,
            browser,
            "bob",
            options: new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
                HasTouch = true,
                IsMobile = true,
            }
        );
        await bob.Page.PictureAsync("documents-phone-list");
        await bob.File(file).TapAsync();
        await bob.IsEditableAsync();
        await Expect(bob.File(file)).ToBeHiddenAsync();
        await bob.Page.PictureAsync("documents-phone-file");
        Assert.True(await bob.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await bob.Button("Back to the list").TapAsync();
        await Expect(bob.File(file)).ToBeVisibleAsync();
        await Expect(bob.File(file)).ToHaveAttributeAsync("data-lock", "free");
    }

    [Fact]
    public async Task Maintenance_and_notifications_reach_every_page_and_keep_text()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "carol");
        var (file, _, _) = await api.LetterAsync();
        var (alice, bob) = (await OpenAsync(host, "alice"), await OpenAsync(host, "bob"));
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>During maintenance</letter>");
        await alice.Button("Administration").ClickAsync();
        await alice.Page.GetByLabel("To everybody", new() { Exact = true }).FillAsync("Tea at four");
        await alice.Button("Send").ClickAsync();
        await Expect(bob.Toast("Tea at four")).ToBeVisibleAsync();

        await alice.Page.GetByLabel("Said to everybody").FillAsync("Back at noon.");
        await alice.Page.GetByLabel("Only administrators may save").CheckAsync();
        await Expect(bob.Page.Locator(".maintenance")).ToContainTextAsync("Back at noon.");
        await bob.Page.Keyboard.PressAsync("Control+s");
        await Expect(bob.Toast("Not saved; your text is kept as a draft: Back at noon.")).ToBeVisibleAsync();
        await bob.Page.PictureAsync("documents-maintenance");
        await Expect(bob.Text).ToHaveTextAsync("<letter>During maintenance</letter>");
        await alice.Page.GetByLabel("Only administrators may save").UncheckAsync();
        await Expect(bob.Page.Locator(".maintenance")).ToBeHiddenAsync();
        await bob.SaveAsync();
        Assert.Equal("<letter>During maintenance</letter>", await api.TextAsync(file));
    }

    [Fact]
    public async Task A_read_only_user_takes_no_lock()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var (dave, bob) = (await OpenAsync(host, "dave"), await OpenAsync(host, "bob"));
        await dave.OpenFileAsync(file);
        await dave.IsReadOnlyAsync();
        await Expect(dave.Page.GetByText("You may read this document, not change it.")).ToBeVisibleAsync();
        await bob.OpenFileAsync(gold);
        await bob.IsReadOnlyAsync();
        Assert.Empty(await api.LockedByAsync(file));
        Assert.Empty(await api.LockedByAsync(gold));
        // His page contains nothing of a collection that he is no member of.
        Assert.DoesNotContain("Minutes", await dave.Page.ContentAsync(), StringComparison.Ordinal);
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user) => DocumentPage.OpenAsync(host, browser, user);
}
