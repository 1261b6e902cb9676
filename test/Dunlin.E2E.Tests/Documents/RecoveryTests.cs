using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Failures of server and network: the page says what happened, keeps the text, and offers the way on.</summary>
public sealed class RecoveryTests(BrowserFixture browser)
{
    private const string Stored = "<letter>\n<p>one</p>\n<p/>\n<p/>\n<p/>\n<p>five</p>\n<p/>\n<p/>\n<p/>\n<p>nine</p>\n</letter>";

    [Fact]
    public async Task Maintenance_opens_documents_read_only_until_it_ends()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        await api.MaintainAsync(on: true, "Back at noon.");
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await Expect(bob.Page.Locator("main[data-mode=maintenance]")).ToHaveCountAsync(1);
        await bob.IsReadOnlyAsync();
        await Expect(bob.Text).ToContainTextAsync("harbour");
        await Expect(bob.Page.Locator(".notices")).ToContainTextAsync("Read-only during maintenance: Back at noon.");
        await bob.Page.PictureAsync("documents-opened-in-maintenance");
        await api.MaintainAsync(on: false);
        await bob.IsEditableAsync();
        await Expect(bob.Toast(DocumentPage.Editable)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_list_that_hangs_or_fails_is_reported_and_loads_on_retry()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.InternalServerError);
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var page = await host.OpenAsync(browser.Browser, "bob", "/");
        await page.Clock.InstallAsync();
        var isHanging = true;
        await page.RouteAsync(
            "**/files/list",
            route =>
                isHanging
                    ? Task.CompletedTask
                    : route.FulfillAsync(
                        new()
                        {
                            Status = 500,
                            ContentType = "text/plain",
                            Body = "",
                        }
                    )
        );
        await page.GotoAsync(new Uri(host.Address, $"/documents/{file}").ToString());
        await Expect(page.GetByText("Loading documents…")).ToBeVisibleAsync();
        await page.PictureAsync("documents-loading");
        await page.Clock.FastForwardAsync("00:20");
        var failure = page.Locator(".list-failure[role=alert]");
        await Expect(failure).ToContainTextAsync("The documents could not be loaded: the server cannot be reached");
        isHanging = false;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(failure).ToContainTextAsync("The documents could not be loaded");
        await Expect(failure).Not.ToContainTextAsync("cannot be reached");
        await page.PictureAsync("documents-list-failed");
        await page.UnrouteAllAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        // The document of the address opens as if nothing had happened.
        await Expect(page.Locator($"main[data-open='{file}'][data-mode=editing]")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_minute_offline_keeps_the_lock_and_what_was_typed()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>Before</letter>");
        await carol.OpenFileAsync(file);
        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Toast("Connection lost")).ToBeVisibleAsync();
        await api.WhenGoneAsync("bob");
        await bob.TypeAsync("<letter>Typed without a network</letter>");
        await api.PassAsync(host, 60);
        await carol.IsReadOnlyAsync();
        await bob.Page.Context.SetOfflineAsync(false);
        await Expect(bob.Toast("Connection restored")).ToBeVisibleAsync();
        await bob.IsEditableAsync();
        await bob.Text.ClickAsync();
        await bob.SaveAsync();
        Assert.Equal("<letter>Typed without a network</letter>", await api.TextAsync(file));
    }

    [Fact]
    public async Task Text_of_a_lost_lock_is_merged_with_the_stored_text()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await bob.OpenFileAsync(file);
        await bob.TypeAsync(Stored);
        await bob.SaveAsync();
        await bob.TypeAsync(Stored.Replace("one", "ONE", StringComparison.Ordinal).Replace("five", "FIVE", StringComparison.Ordinal));
        await carol.OpenFileAsync(file);
        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Toast("Connection lost")).ToBeVisibleAsync();
        await api.PassAsync(host, 96);
        await carol.IsEditableAsync();
        await carol.TypeAsync(Stored.Replace("nine", "NINE", StringComparison.Ordinal));
        await carol.SaveAsync();
        await bob.Page.Context.SetOfflineAsync(false);
        await Expect(bob.Page.Locator("main[data-mode=lost]")).ToHaveCountAsync(1);

        // Carol still has the lock: Bob can only compare.
        await bob.Button("Compare and merge").ClickAsync();
        await Expect(bob.Changes).ToHaveTextAsync("3 changes");
        await Expect(bob.Button("Take this change")).ToBeHiddenAsync();
        await bob.Page.PictureAsync("documents-lost-compared");
        await carol.LeaveAsync();

        await Expect(bob.Page.Locator("main[data-mode=editing]")).ToHaveCountAsync(1);
        await bob.Button("Compare and merge").ClickAsync();
        await bob.Button("Next change").ClickAsync();
        await Expect(bob.Changes).ToHaveTextAsync("Change 1 of 3");
        await bob.Button("Take this change").ClickAsync();
        await Expect(bob.Changes).ToHaveTextAsync("Change 1 of 2");
        await bob.Page.PictureAsync("documents-merge");
        await bob.Button("Finish the merge").ClickAsync();
        await Expect(bob.Page.GetByText("You have an unsaved draft")).ToHaveCountAsync(0);
        await bob.SaveAsync();
        var merged = Stored.Replace("one", "ONE", StringComparison.Ordinal).Replace("nine", "NINE", StringComparison.Ordinal);
        Assert.Equal(merged, await api.TextAsync(file));
    }

    [Fact]
    public async Task A_restored_draft_can_be_discarded_and_brought_back()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await bob.TypeAsync("<letter>Half an idea</letter>");
        await bob.Page.ReloadAsync();
        await bob.ReadyAsync();
        await Expect(bob.Text).ToHaveTextAsync("<letter>Half an idea</letter>");
        await bob.Page.PictureAsync("documents-restored");
        await bob.Button("Discard draft").ClickAsync();
        await Expect(bob.Text).ToContainTextAsync("harbour");
        await Expect(bob.Page.Locator(".status[data-status=editing]")).ToHaveCountAsync(1);
        await Expect(bob.Button("Discard draft")).ToHaveCountAsync(0);
        await bob.UndoAsync("Draft discarded");
        await Expect(bob.Text).ToHaveTextAsync("<letter>Half an idea</letter>");
        await bob.SaveAsync();
        Assert.Equal("<letter>Half an idea</letter>", await api.TextAsync(file));
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user) => DocumentPage.OpenAsync(host, browser, user);
}
