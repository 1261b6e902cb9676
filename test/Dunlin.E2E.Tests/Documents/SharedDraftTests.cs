using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Several users edit one text together: edits merge, cursors have names, and a save stores the text of all.</summary>
public sealed class SharedDraftTests(BrowserFixture browser)
{
    // The text of the editor, without the cursors of others.
    private const string Shown = """
        () => {
          const copy = document.querySelector('[data-editor] .cm-content').cloneNode(true);
          for (const cursor of copy.querySelectorAll('.cm-ySelectionCaret')) cursor.remove();
          return [...copy.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n');
        }
        """;

    [Fact]
    public async Task Three_windows_converge_after_cut_restart_and_compaction()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.ServiceUnavailable);
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var file = await ShortLetterAsync(host, api);
        var (alice, bob, carol) = (await OpenAsync(host, "alice"), await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await StartAsync(bob, file);
        await JoinAsync(alice, file);
        await JoinAsync(carol, file);

        await carol.Page.Context.SetOfflineAsync(true);
        await TypeAsync(carol, "<!-- carol offline -->");
        await Expect(Status(carol)).ToHaveTextAsync("Offline: kept here");
        await TypeAsync(bob, "<!-- bob -->");
        await WhenHasAsync(alice, "<!-- bob -->");
        await AddUpdatesAsync(bob.Page);
        await TypeAsync(bob, "<!-- crosses the limit -->");
        await WhenCompactedAsync(bob.Page);
        await host.RestartAsync();
        await TypeAsync(alice, "<!-- alice after the restart -->");
        await carol.Page.Context.SetOfflineAsync(false);

        string[] parts = ["<!-- carol offline -->", "<!-- bob -->", "<!-- alice after the restart -->"];
        foreach (var page in new[] { alice, bob, carol })
        {
            foreach (var part in parts)
                await WhenHasAsync(page, part);
            await Expect(Status(page)).ToHaveTextAsync("Shared, not saved");
        }
        var whole = await alice.Page.EvaluateAsync<string>(Shown);
        foreach (var page in new[] { bob, carol })
            await page.Page.WaitForFunctionAsync($"text => ({Shown})() === text", whole);
        await bob.Page.Keyboard.PressAsync("Control+s");
        foreach (var page in new[] { alice, bob, carol })
            await Expect(Status(page)).ToHaveTextAsync("Editing together");
        Assert.Equal(whole.Replace("\n", "\r\n", StringComparison.Ordinal), await api.StoredAsync(file));
    }

    [Fact]
    public async Task Cursors_and_names_are_live_and_leave_with_their_page()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var file = await ShortLetterAsync(host, api);
        var (bob, carol, dave) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"), await OpenAsync(host, "dave"));
        await StartAsync(bob, file);
        await JoinAsync(carol, file);
        await TypeAsync(bob, "<!-- here -->");
        await Expect(carol.Page.Locator(".cm-ySelectionInfo")).ToHaveTextAsync("Bob Baker");
        await Expect(carol.Page.Locator(".people li")).ToHaveCountAsync(2);
        await Expect(carol.Page.Locator(".people [role=status]")).ToContainTextAsync("Bob Baker");

        // A reader sees text and cursors, and is not listed.
        await dave.OpenFileAsync(file);
        await WhenHasAsync(dave, "<!-- here -->");
        await dave.IsReadOnlyAsync();
        await Expect(Status(dave)).ToHaveTextAsync("Reading along");
        await Expect(dave.Page.Locator(".people li")).ToHaveCountAsync(2);
        await bob.Page.GotoAsync("about:blank");
        await Expect(carol.Page.Locator(".cm-ySelectionInfo")).ToHaveCountAsync(0);
        await Expect(dave.Page.Locator(".people li")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Undo_takes_back_own_edits_only()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, bob, carol) = await BobAndCarolAsync(host, api);
        await TypeAsync(bob, "<!-- bob -->");
        await WhenHasAsync(carol, "<!-- bob -->");
        await TypeAsync(carol, "<!-- carol -->");
        await WhenHasAsync(bob, "<!-- carol -->");
        await bob.Text.PressAsync("Control+z");
        foreach (var page in new[] { bob, carol })
            await page.Page.WaitForFunctionAsync(
                $"() => {{ const text = ({Shown})(); return text.includes('carol') && !text.includes('bob'); }}"
            );
    }

    [Fact]
    public async Task Unsaved_text_of_the_starter_is_shared_and_the_end_returns_the_lock()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var file = await ShortLetterAsync(host, api);
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        await carol.OpenFileAsync(file);
        await Expect(carol.Page.Locator("main[data-mode=locked]")).ToHaveCountAsync(1);
        await bob.TypeAsync("<letter>typed before</letter>");
        await bob.Button("Edit together").ClickAsync();
        // Carol had the file open, and joins by herself.
        await WhenHasAsync(carol, "typed before");
        await carol.IsEditableAsync();
        Assert.DoesNotContain("typed before", await api.TextAsync(file), StringComparison.Ordinal);
        await Expect(Status(bob)).ToHaveTextAsync("Shared, not saved");

        await carol.Button("End sharing").ClickAsync();
        await carol.Page.Keyboard.PressAsync("Escape");
        await carol.Button("Save").ClickAsync();
        await Expect(Status(carol)).ToHaveTextAsync("Editing together");
        Assert.Equal("<letter>typed before</letter>", await api.TextAsync(file));
        await carol.Button("End sharing").ClickAsync();
        foreach (var page in new[] { bob, carol })
            await Expect(page.Page.Locator("main:not([data-mode=together]):not([data-mode=loading])[data-open]")).ToHaveCountAsync(1);
        await Expect(bob.Toast("The shared draft of this document has ended")).ToBeVisibleAsync();
        await Expect(bob.Text).ToHaveTextAsync("<letter>typed before</letter>");
    }

    [Fact]
    public async Task Unsaved_edits_become_a_draft_when_another_ends_the_sharing()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, bob, carol) = await BobAndCarolAsync(host, api);
        await TypeAsync(carol, "<!-- carol -->");
        await WhenHasAsync(bob, "<!-- carol -->");
        // Bob typed nothing, so nothing of his can be lost.
        await bob.LeaveAsync();
        await Expect(Status(carol)).ToHaveTextAsync("Shared, not saved");
        await api.EndSharingAsync(file);
        await Expect(carol.Toast("The shared draft of this document has ended")).ToBeVisibleAsync();
        await Expect(Status(carol)).ToHaveTextAsync("Not saved yet");
        await WhenHasAsync(carol, "<!-- carol -->");
        await carol.SaveAsync();
        Assert.Contains("<!-- carol -->", await api.TextAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_edits_become_a_draft_when_the_draft_has_ended()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.Forbidden);
        host.ExpectRefusals(HttpStatusCode.NotFound);
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, bob, carol) = await BobAndCarolAsync(host, api);
        await carol.Page.Context.SetOfflineAsync(true);
        await TypeAsync(carol, "<!-- carol offline -->");
        await Expect(Status(carol)).ToHaveTextAsync("Offline: kept here");
        await TypeAsync(bob, "<!-- bob -->");
        await bob.Button("Save").ClickAsync();
        await Expect(Status(bob)).ToHaveTextAsync("Editing together");
        await bob.Button("End sharing").ClickAsync();
        await bob.IsEditableAsync();
        await Expect(bob.Page.Locator("main[data-mode=editing]")).ToHaveCountAsync(1);
        await bob.LeaveAsync();

        await carol.Page.Context.SetOfflineAsync(false);
        await carol.Button("Put it into the editor").ClickAsync();
        await WhenHasAsync(carol, "<!-- carol offline -->");
        await Expect(Status(carol)).ToHaveTextAsync("Not saved yet");
    }

    [Fact]
    public async Task Removed_member_keeps_unsent_edits_on_the_clipboard_toast()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.Forbidden);
        host.ExpectRefusals(HttpStatusCode.NotFound);
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, bob, carol) = await BobAndCarolAsync(host, api);
        await carol.Page.Context.SetOfflineAsync(true);
        await TypeAsync(carol, "<!-- carol offline -->");
        await Expect(Status(carol)).ToHaveTextAsync("Offline: kept here");
        await api.DeleteAsync("admin/collections/letters/members/carol");
        await carol.Page.Context.SetOfflineAsync(false);
        var toast = carol.Toast("The document you were viewing is no longer there");
        await Expect(toast.GetByRole(AriaRole.Button, new() { NameRegex = new("^Copy") })).ToBeVisibleAsync();
        Assert.DoesNotContain("carol offline", await bob.Page.EvaluateAsync<string>(Shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shared_editing_keeps_line_endings_passes_axe_and_fits_phones()
    {
        var axe = new Axe();
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "bob");
        var file = await ShortLetterAsync(host, api);
        var bob = await OpenAsync(host, "bob", Axe.Still);
        var carol = await OpenAsync(
            host,
            "carol",
            new()
            {
                ViewportSize = new() { Width = 320, Height = 640 },
                ColorScheme = ColorScheme.Dark,
                ReducedMotion = ReducedMotion.Reduce,
            }
        );
        await StartAsync(bob, file);
        await JoinAsync(carol, file);
        await TypeAsync(carol, "<!-- phone -->");
        await WhenHasAsync(bob, "<!-- phone -->");
        await TypeAsync(bob, "<!-- desk -->");
        await Expect(carol.Page.Locator(".cm-ySelectionInfo")).ToHaveTextAsync("Bob Baker");
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
        {
            await bob.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            foreach (var (width, height) in new[] { (1280, 720), (768, 1024), (390, 844) })
            {
                await bob.Page.SetViewportSizeAsync(width, height);
                await bob.Page.PictureAsync($"documents-together-{width}-{scheme}");
            }
            await axe.CheckAsync(bob.Page, $"together, {scheme}");
        }
        await carol.Page.PictureAsync("documents-together-320");
        await axe.CheckAsync(carol.Page, "together on a dark phone");
        Assert.Equal(0, await carol.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await Expect(Status(bob)).ToHaveTextAsync("Shared, not saved");
        await bob.Button("Save").ClickAsync();
        await Expect(Status(bob)).ToHaveTextAsync("Editing together");
        Assert.Equal("\uFEFF<letter>\r\n  <p/>\r\n</letter>\r\n<!-- phone --><!-- desk -->", await api.StoredAsync(file));
        axe.RequireNone();
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user, BrowserNewContextOptions? options = null) =>
        DocumentPage.OpenAsync(host, browser, user, options: options);

    /// <summary>Returns a file and the pages of two users who edit it together.</summary>
    private async Task<(string File, DocumentPage Bob, DocumentPage Carol)> BobAndCarolAsync(TestHost host, DocumentsApi api)
    {
        var file = await ShortLetterAsync(host, api);
        var (bob, carol) = (await OpenAsync(host, "bob"), await OpenAsync(host, "carol"));
        await StartAsync(bob, file);
        await JoinAsync(carol, file);
        return (file, bob, carol);
    }

    /// <summary>Adds a letter with Windows line endings, and returns its file.</summary>
    private static async Task<string> ShortLetterAsync(TestHost host, DocumentsApi api)
    {
        await api.PostAsync(
            "files/import",
            new
            {
                collection = "letters",
                title = "Short letter",
                xml_string = "\uFEFF<letter>\r\n  <p/>\r\n</letter>\r\n",
            }
        );
        return await api.FileOfAsync("Short letter");
    }

    private static async Task StartAsync(DocumentPage page, string file)
    {
        await page.OpenFileAsync(file);
        await page.IsEditableAsync();
        await page.Button("Edit together").ClickAsync();
        await SharedAsync(page);
    }

    private static async Task JoinAsync(DocumentPage page, string file)
    {
        await page.OpenFileAsync(file);
        await SharedAsync(page);
    }

    private static async Task SharedAsync(DocumentPage page)
    {
        await Expect(page.Page.Locator("main[data-mode=together]")).ToHaveCountAsync(1);
        await page.IsEditableAsync();
    }

    // At the end, as one transaction of the editor.
    private static async Task TypeAsync(DocumentPage page, string text)
    {
        await page.Text.PressAsync("Control+End");
        await page.Page.Keyboard.InsertTextAsync(text);
    }

    private static Task WhenHasAsync(DocumentPage page, string text) =>
        page.Page.WaitForFunctionAsync($"text => ({Shown})().includes(text)", text);

    private static ILocator Status(DocumentPage page) => page.Page.Locator(".pane-head .status");

    /// <summary>Adds 520 updates beside the text. The page of the next edit then stores a snapshot by itself.</summary>
    private static async Task AddUpdatesAsync(IPage page) =>
        await page.EvaluateAsync(
            """
            async () => {
              const addressOfDraft = async () => {
                const { documents } = await (await fetch('/api/v1/files/list')).json();
                const shared = documents.flatMap(({ files }) => files).find(({ shared_draft }) => shared_draft);
                return `/api/v1/shared-drafts/${shared.shared_draft.topic}`;
              };
              const address = await addressOfDraft();
              const send = async (id) => {
                // A client of its own inserts "x" into the shared text "o".
                const body = new Uint8Array([1, 1, 0x80 | (id & 0x7f), 8 + (id >> 7), 0, 4, 1, 1, 0x6f, 1, 0x78, 0]);
                const { status } = await fetch(address, { method: 'POST', body });
                if (status !== 204) throw new Error(`status ${status}`);
              };
              for (let id = 0; id < 520; id += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => send(id + i)));
            }
            """
        );

    private static Task WhenCompactedAsync(IPage page) =>
        page.WaitForFunctionAsync(
            """
            async () => {
              const addressOfDraft = async () => {
                const { documents } = await (await fetch('/api/v1/files/list')).json();
                const shared = documents.flatMap(({ files }) => files).find(({ shared_draft }) => shared_draft);
                return `/api/v1/shared-drafts/${shared.shared_draft.topic}`;
              };
              const bytes = await (await fetch(await addressOfDraft())).arrayBuffer();
              let count = 0;
              for (let at = 0; at < bytes.byteLength; at += 5 + new DataView(bytes).getUint32(at + 1)) count++;
              return count < 500;
            }
            """
        );
}
