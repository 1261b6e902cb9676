using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Help while writing and finding: search in the texts, schema, keyboard.</summary>
public sealed class WritingTests(BrowserFixture browser)
{
    [Fact]
    public async Task The_search_in_the_texts_opens_a_document_at_the_match()
    {
        await using var host = await TestHost.StartAsync();
        var (bob, dave) = (await OpenAsync(host, "bob"), await OpenAsync(host, "dave"));
        await bob.Page.GetByLabel("Search documents").FillAsync("repair THE hide");
        var hit = bob.Page.Locator("[data-hit]", new() { HasText = "version 1" });
        await Expect(hit).ToContainTextAsync("Minutes of the bird society, March");
        await Expect(hit.Locator("mark")).ToHaveTextAsync("repair the hide");
        await bob.Page.PictureAsync("documents-text-search");
        await hit.Locator("button").ClickAsync();
        await bob.IsEditableAsync();
        await Expect(bob.Page.Locator(".cm-activeLine")).ToContainTextAsync("Resolved");
        Assert.Equal("repair the hide", await bob.Page.EvaluateAsync<string>("() => getSelection().toString()"));

        // Dave is no member of the collection.
        await dave.Page.GetByLabel("Search documents").FillAsync("repair the hide");
        await Expect(dave.Page.GetByText("No text matches.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_schema_marks_faults_while_typing_and_completes_names_and_values()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var text = (await api.TextAsync(file)).Replace("\n", "", StringComparison.Ordinal);
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await bob.TypeAsync(text.Replace("<p>Sir,", "<p colour='red'>Sir,", StringComparison.Ordinal));
        var mark = bob.Page.Locator(".cm-lintRange-warning");
        await Expect(mark).ToHaveTextAsync(["colour"]);
        await bob.Page.Keyboard.PressAsync("F8");
        await mark.HoverAsync();
        await Expect(bob.Page.Locator(".cm-tooltip .cm-diagnostic")).ToContainTextAsync("TEI: attribute not allowed here: colour");
        await bob.Page.PictureAsync("documents-schema-fault");

        // A fault of the schema does not prevent a save.
        await bob.SaveAsync();
        await bob.TypeAsync(text);
        await Expect(mark).ToHaveCountAsync(0);
        await bob.Page.Keyboard.PressAsync("Control+Home");
        var end = text.IndexOf("Sir,", StringComparison.Ordinal) + "Sir,".Length;
        await bob.Page.EvaluateAsync("() => getSelection().collapse(null)");
        await bob.TypeAsync(text[..end]);
        await bob.Page.Keyboard.TypeAsync(" <pers");
        var options = bob.Page.Locator(".cm-tooltip-autocomplete li");
        await Expect(options).ToHaveTextAsync(["persName"]);
        await bob.Page.PictureAsync("documents-completion");
        await bob.Page.Keyboard.PressAsync("Enter");
        await bob.Page.Keyboard.TypeAsync(" cer");
        await Expect(options.First).ToHaveTextAsync("cert");
        await bob.Page.Keyboard.PressAsync("Enter");
        await bob.Page.Keyboard.TypeAsync("h");
        await Expect(options).ToHaveTextAsync(["high"]);
        await bob.Page.Keyboard.PressAsync("Enter");
        await Expect(bob.Text).ToContainTextAsync("<persName cert=\"high\"");
    }

    [Fact]
    public async Task Wrapped_lines_keep_the_indent_of_their_line()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        await bob.TypeAsync($"<letter>\n        <p>{string.Concat(Enumerable.Repeat("word ", 60))}</p>\n</letter>");
        var starts = await bob
            .Page.Locator(".cm-line")
            .Nth(1)
            .EvaluateAsync<int[]>(
                """
                line => {
                  const range = document.createRange();
                  range.selectNodeContents(line);
                  const lefts = [...range.getClientRects()].filter(rect => rect.width > 4);
                  const rows = Map.groupBy(lefts, rect => Math.round(rect.top / 10));
                  return [...rows.values()].map(row => Math.round(Math.min(...row.map(rect => rect.left))));
                }
                """
            );
        Assert.True(starts.Length > 1, "The line wraps.");
        // The first row begins with the white space itself.
        var width = await bob.Page.EvaluateAsync<double>(
            "() => { const [line] = document.querySelectorAll('.cm-line'); const r = document.createRange(); r.setStart(line.firstChild, 0); return line.getBoundingClientRect().left; }"
        );
        Assert.All(starts[1..], start => Assert.True(start > width + 40, $"{start} {width}"));
    }

    [Fact]
    public async Task The_main_job_needs_no_pointer()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var carol = await OpenAsync(host, "carol");
        var keyboard = carol.Page.Keyboard;

        // Find the document, open it, edit, save.
        await TabToAsync("[aria-label='Search documents']");
        await keyboard.TypeAsync("harbour line ends");
        await Expect(carol.Page.Locator("[data-file]")).ToHaveCountAsync(1);
        await TabToAsync($"[data-file='{file}']");
        await keyboard.PressAsync("Enter");
        await carol.IsEditableAsync();
        await TabToAsync(".cm-content");
        await keyboard.PressAsync("Control+f");
        await keyboard.TypeAsync("Thursday last");
        await keyboard.PressAsync("Enter");
        await keyboard.PressAsync("Escape");
        await keyboard.TypeAsync("Thursday");
        await keyboard.PressAsync("Control+s");
        await Expect(carol.Toast("Saved")).ToBeVisibleAsync();
        Assert.DoesNotContain("Thursday last", await api.TextAsync(file), StringComparison.Ordinal);

        // Compare with the gold standard, take a change, return, save.
        await TabToAsync("[aria-label='Compare with']", backwards: true);
        await keyboard.PressAsync("ArrowDown");
        await Expect(carol.Changes).ToBeVisibleAsync();
        Assert.Equal("Next change", await FocusedAsync());
        await keyboard.PressAsync("Enter");
        await TabToAsync("[aria-label='Take this change']");
        await keyboard.PressAsync("Enter");
        await TabToAsync(".comparison-bar > button:last-child");
        await keyboard.PressAsync("Enter");
        await Expect(carol.Page.Locator(".status[data-status=dirty]")).ToHaveCountAsync(1);
        await keyboard.PressAsync("Control+s");
        await Expect(carol.Page.Locator(".status[data-status=editing]")).ToHaveCountAsync(1);

        // Save a version, make it gold, undo it.
        await TabToAsync(".tools > button[title^='Make this version']");
        await keyboard.PressAsync("Enter");
        await Expect(carol.Dialog).ToBeVisibleAsync();
        await TabToAsync(".dialog .button-primary");
        await keyboard.PressAsync("Enter");
        await Expect(carol.File(file)).ToHaveAttributeAsync("data-gold", "");
        await TabToAsync(".toast .button-small");
        await keyboard.PressAsync("Enter");
        await Expect(carol.File(file)).Not.ToHaveAttributeAsync("data-gold", "");
        Assert.NotEqual(gold, file);

        async Task TabToAsync(string selector, bool backwards = false)
        {
            for (var i = 0; i < 80; i++)
            {
                if (await carol.Page.EvaluateAsync<bool>("selector => document.activeElement?.matches(selector) === true", selector))
                    return;
                await keyboard.PressAsync(backwards ? "Shift+Tab" : "Tab");
            }
            Assert.Fail($"Tab does not reach {selector}");
        }

        Task<string?> FocusedAsync() =>
            carol.Page.EvaluateAsync<string?>("() => document.activeElement?.getAttribute('aria-label') ?? null");
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user) => DocumentPage.OpenAsync(host, browser, user);
}
