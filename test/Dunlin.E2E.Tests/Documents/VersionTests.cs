using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Operations on whole versions name the version and can be taken back.</summary>
public sealed class VersionTests(BrowserFixture browser)
{
    [Fact]
    public async Task Gold_and_deletion_name_the_version_and_can_be_undone()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var (carol, dave) = (await OpenAsync(host, "carol"), await OpenAsync(host, "dave"));
        await carol.OpenFileAsync(file);
        await carol.IsEditableAsync();
        await carol.Button("Make gold").ClickAsync();
        await Expect(carol.Dialog)
            .ToContainTextAsync(
                "Version 3 “Line ends checked” of “Letter to the harbour master, 1871” becomes the gold standard in place of version 2."
            );
        await carol.Page.PictureAsync("documents-make-gold");
        await carol.Button("Cancel").ClickAsync();
        await carol.Button("Make gold").ClickAsync();
        await carol.Button("Make version 3 gold").ClickAsync();
        await Expect(dave.File(file)).ToHaveAttributeAsync("data-gold", "");
        await carol.UndoAsync("Version 3 is the gold standard now");
        await Expect(dave.File(gold)).ToHaveAttributeAsync("data-gold", "");
        await Expect(dave.File(file)).Not.ToHaveAttributeAsync("data-gold", "");

        await carol.OpenFileAsync(gold);
        await carol.IsEditableAsync();
        await carol.Button("Delete").ClickAsync();
        await Expect(carol.Dialog.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Delete Version 2 (gold standard)?");
        await carol.Dialog.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(dave.File(gold)).ToHaveCountAsync(0);
        await carol.UndoAsync("Version 2 deleted");
        await Expect(carol.Toast("Version 2 restored")).ToBeVisibleAsync();
        await Expect(dave.File(gold)).ToHaveAttributeAsync("data-gold", "");
    }

    [Fact]
    public async Task Administrators_see_locks_by_document_and_stale_sessions_by_user()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "carol");
        var (file, _, _) = await api.LetterAsync();
        for (var i = 0; i < 5; i++)
        {
            using var stale = await host.ClientAsync("bob");
        }
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        var alice = await OpenAsync(host, "alice");
        await alice.Button("Administration").ClickAsync();
        var sessions = alice.Page.Locator("[data-session=bob]");
        await Expect(sessions).ToHaveCountAsync(1);
        await Expect(sessions).ToContainTextAsync("6 sessions, 1 with an open page");
        await Expect(alice.Page.Locator(".locks")).ToContainTextAsync("Letter to the harbour master, 1871");
        await alice.Page.PictureAsync("documents-administration-groups");
        await sessions.Locator("summary").ClickAsync();
        await alice.Page.GetByRole(AriaRole.Button, new() { Name = "End the 5 sessions of Bob Baker" }).ClickAsync();
        await Expect(sessions).Not.ToContainTextAsync("6 sessions");
        await alice.Page.GetByRole(AriaRole.Button, new() { Name = "End the lock of Bob Baker" }).ClickAsync();
        await Expect(alice.Page.GetByText("Nobody edits a document.")).ToBeVisibleAsync();
        await Expect(bob.Page.Locator("main[data-mode=editing]")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task The_timeline_restores_deleted_versions_and_former_texts_with_undo()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var carol = await OpenAsync(host, "carol");
        await carol.OpenFileAsync(gold);
        await carol.IsEditableAsync();
        await carol.Button("Delete").ClickAsync();
        await carol.Dialog.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(carol.File(gold)).ToHaveCountAsync(0);

        await carol.OpenFileAsync(file);
        await carol.IsEditableAsync();
        const string Marked = "<placeName>Sandwick</placeName>";
        await Expect(carol.Text).ToContainTextAsync(Marked);
        await carol.Button("Versions").ClickAsync();
        await Expect(carol.Dialog.Locator("li[data-version]")).ToHaveCountAsync(3);
        await Expect(carol.Dialog.Locator("li[data-version='2'][data-deleted]")).ToContainTextAsync("Deleted by Carol Carter");
        await Expect(carol.Dialog.Locator("li[data-version='3']")).ToHaveAttributeAsync("aria-current", "true");
        await carol.Page.PictureAsync("documents-timeline");
        await carol.Button("Restore: version 2").ClickAsync();
        await Expect(carol.File(gold)).ToHaveAttributeAsync("data-gold", "");
        await carol.UndoAsync("Version 2 restored");
        await Expect(carol.File(gold)).ToHaveCountAsync(0);

        await carol.Button("Versions").ClickAsync();
        await carol.Button("Use this text: version 1").ClickAsync();
        await Expect(carol.Page.Locator(".status[data-status=dirty]")).ToHaveCountAsync(1);
        await Expect(carol.Text).Not.ToContainTextAsync(Marked);
        await carol.UndoAsync("The text of version 1 is in the editor, not saved yet");
        await Expect(carol.Text).ToContainTextAsync(Marked);
    }

    [Fact]
    public async Task Single_changes_of_another_version_are_taken_into_the_text()
    {
        const string Own = "<letter>\n<p>one</p>\n<p/>\n<p/>\n<p/>\n<p>five</p>\n<p/>\n<p/>\n<p/>\n<p>nine</p>\n</letter>";
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var other = Own.Replace("one", "ONE", StringComparison.Ordinal).Replace("five", "FIVE", StringComparison.Ordinal);
        var carol = await OpenAsync(host, "carol");
        await carol.OpenFileAsync(file);
        await carol.TypeAsync(Own);
        await carol.SaveAsync();
        await api.PostAsync(
            "files/save",
            new
            {
                file_id = file,
                xml_string = other.Replace("nine", "NINE", StringComparison.Ordinal),
                new_version = true,
                label = "Capitals",
            }
        );
        await carol.Page.GetByLabel("Compare with").SelectOptionAsync("Version 4");
        await Expect(carol.Changes).ToHaveTextAsync("3 changes");
        await carol.Button("Next change").ClickAsync();
        await carol.Button("Next change").ClickAsync();
        await Expect(carol.Changes).ToHaveTextAsync("Change 2 of 3");
        await carol.Button("Previous change").ClickAsync();
        await Expect(carol.Changes).ToHaveTextAsync("Change 1 of 3");
        await carol.Button("Take this change").ClickAsync();
        await Expect(carol.Changes).ToHaveTextAsync("Change 1 of 2");
        // The arrow between the texts does the same. It is beside its change.
        var arrow = carol.Page.Locator(".take-change").First;
        var change = await carol.Page.Locator(".comparison .cm-changedLine").First.BoundingBoxAsync();
        Assert.InRange((await arrow.BoundingBoxAsync())!.Y - change!.Y, -30, 30);
        await arrow.ClickAsync();
        await Expect(carol.Changes).ToHaveTextAsync("Change 1 of 1");
        await carol.Button("Back to the text").ClickAsync();
        await Expect(carol.Editor).ToBeVisibleAsync();
        await carol.Text.ClickAsync();
        await carol.SaveAsync();
        Assert.Equal(other, await api.TextAsync(file));
        // A reader compares without taking.
        var dave = await OpenAsync(host, "dave");
        await dave.OpenFileAsync(file);
        await dave.Page.GetByLabel("Compare with").SelectOptionAsync("Version 4");
        await Expect(dave.Changes).ToHaveTextAsync("1 change");
        await Expect(dave.Button("Take this change")).ToBeHiddenAsync();
        await Expect(dave.Page.Locator(".take-change")).ToHaveCountAsync(0);
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user) => DocumentPage.OpenAsync(host, browser, user);
}
