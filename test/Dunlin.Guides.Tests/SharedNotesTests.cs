using Dunlin.Guides.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests;

/// <summary>The program and the page of docs/guides/edit-together.md in Chromium.</summary>
public sealed class SharedNotesTests
{
    // The text of the editor, without the cursors of others.
    private const string Text = """
        () => {
          const copy = document.querySelector('.cm-content').cloneNode(true);
          for (const cursor of copy.querySelectorAll('.cm-ySelectionCaret')) cursor.remove();
          return copy.textContent;
        }
        """;

    [Fact]
    public async Task Three_windows_converge_after_cut_restart_and_compaction()
    {
        await using var program = await GuideProgram.StartAsync("SharedNotes");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob, carol) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "bob"), await OpenAsync(chromium, "carol"));
        await TypeAsync(ann, "Shared.");
        foreach (var page in new[] { bob, carol })
            await WhenTextAsync(page, "Shared.");

        // Carol edits without a network, while the others store snapshots and the server is killed.
        await carol.Context.SetOfflineAsync(true);
        await TypeAsync(carol, "Carol was offline.");
        await Expect(Status(carol)).ToContainTextAsync("not saved yet");
        var letters = string.Concat(Enumerable.Range(0, 130).Select(i => (char)('a' + (i % 26))));
        foreach (var letter in letters)
            await TypeAsync(ann, letter.ToString());
        await WhenTextHasAsync(bob, letters);
        await program.KillAsync();
        await TypeAsync(bob, "Bob had no server.");
        await Expect(Status(bob)).ToContainTextAsync("not saved yet");
        await program.StartAsync();
        await carol.Context.SetOfflineAsync(false);
        foreach (var page in new[] { ann, bob, carol })
        {
            foreach (var part in new[] { "Shared.", "Carol was offline.", "Bob had no server.", letters })
                await WhenTextHasAsync(page, part);
            await Expect(Status(page)).ToHaveTextAsync("synced saved");
        }
        var whole = await ann.EvaluateAsync<string>(Text);
        await WhenTextAsync(bob, whole);
        await WhenTextAsync(carol, whole);

        var late = await OpenAsync(chromium, "dave");
        await WhenTextAsync(late, whole);
        // Snapshots replaced the single letters.
        var entries = await late.EvaluateAsync<int>(
            """
            fetch('/api/yjs/notes/1').then((answer) => answer.arrayBuffer()).then((bytes) => {
              let count = 0;
              for (let at = 0; at < bytes.byteLength; at += 5 + new DataView(bytes).getUint32(at + 1)) count++;
              return count;
            })
            """
        );
        Assert.InRange(entries, 1, 129);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Cursors_show_names_and_go_with_their_pages()
    {
        await using var program = await GuideProgram.StartAsync("SharedNotes");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "bob"));
        await TypeAsync(ann, "Here");
        await Expect(bob.Locator(".cm-ySelectionInfo")).ToHaveTextAsync("ann");
        await ann.GotoAsync("about:blank");
        await Expect(bob.Locator(".cm-ySelectionInfo")).ToHaveCountAsync(0);

        var carol = await OpenAsync(chromium, "carol");
        await TypeAsync(carol, "There");
        await Expect(bob.Locator(".cm-ySelectionInfo")).ToHaveTextAsync("carol");
        await program.KillAsync();
        await Expect(bob.Locator(".cm-ySelectionInfo")).ToHaveCountAsync(0);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Undo_takes_back_own_edits_only()
    {
        await using var program = await GuideProgram.StartAsync("SharedNotes");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "bob"));
        await TypeAsync(ann, "Ann.");
        await WhenTextAsync(bob, "Ann.");
        await TypeAsync(bob, "Bob.");
        await WhenTextHasAsync(ann, "Bob.");
        await ann.Locator(".cm-content").PressAsync("Control+z");
        await WhenTextAsync(ann, "Bob.");
        await WhenTextAsync(bob, "Bob.");
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Reader_sees_edits_and_cannot_keep_its_own()
    {
        await using var program = await GuideProgram.StartAsync("SharedNotes");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var ann = await OpenAsync(chromium, "ann");
        var reader = await OpenAsync(chromium, "rita", "?role=reader");
        await TypeAsync(ann, "Read me.");
        await WhenTextAsync(reader, "Read me.");
        await TypeAsync(reader, "x");
        await Expect(Status(reader)).ToContainTextAsync("read only");
        await Expect(reader.Locator(".cm-content[aria-readonly=true]")).ToHaveCountAsync(1);
        await TypeAsync(ann, "More.");
        await WhenTextHasAsync(reader, "More.");
        Assert.Equal("Read me.More.", await ann.EvaluateAsync<string>(Text));
        Assert.Empty(chromium.Faults);
    }

    private static async Task<IPage> OpenAsync(Chromium chromium, string user, string query = "")
    {
        var page = await chromium.OpenAsync(user, query);
        await Expect(Status(page)).ToContainTextAsync("synced");
        return page;
    }

    // At the end, as one transaction of the editor.
    private static async Task TypeAsync(IPage page, string text)
    {
        await page.Locator(".cm-content").PressAsync("Control+End");
        await page.Keyboard.InsertTextAsync(text);
    }

    private static Task WhenTextAsync(IPage page, string text) => page.WaitForFunctionAsync($"text => ({Text})() === text", text);

    private static Task WhenTextHasAsync(IPage page, string text) => page.WaitForFunctionAsync($"text => ({Text})().includes(text)", text);

    private static ILocator Status(IPage page) => page.Locator("#status");
}
