using System.IO.Compression;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Phones, narrow and dark pages, keyboard and assistive technology.</summary>
public sealed class LayoutTests(BrowserFixture browser)
{
    private const string Overflow = "() => document.documentElement.scrollWidth - innerWidth";

    [Fact]
    public async Task Every_state_of_the_page_passes_axe()
    {
        var axe = new Axe();
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var alice = await OpenAsync(host, "alice", Axe.Still);
        await axe.CheckAsync(alice.Page, "list");
        await alice.OpenFileAsync(file);
        await alice.IsEditableAsync();
        await alice.Text.ClickAsync();
        await axe.CheckAsync(alice.Page, "editing");
        await alice.Page.PictureAsync("documents-editing");

        await alice.Page.Keyboard.PressAsync("Control+f");
        await alice.Page.GetByLabel("Find", new() { Exact = true }).PressSequentiallyAsync("harbour");
        await Expect(alice.Page.Locator(".cm-searchMatch").First).ToBeVisibleAsync();
        await axe.CheckAsync(alice.Page, "search panel");
        await alice.Page.PictureAsync("documents-search-panel");
        await alice.Page.Keyboard.PressAsync("Escape");

        await alice.Page.GetByLabel("Compare with").SelectOptionAsync(gold);
        await Expect(alice.Page.Locator(".comparison .cm-changedLine").First).ToBeVisibleAsync();
        await axe.CheckAsync(alice.Page, "comparison");
        await alice.Page.PictureAsync("documents-comparison");
        await alice.Button("Back to the text").ClickAsync();

        await alice.Button("Administration").ClickAsync();
        await Expect(alice.Page.Locator("[data-session=alice]").First).ToBeVisibleAsync();
        await axe.CheckAsync(alice.Page, "administration");

        var dave = await OpenAsync(host, "dave", Axe.Still);
        await dave.OpenFileAsync(file);
        await dave.IsReadOnlyAsync();
        await axe.CheckAsync(dave.Page, "reading");
        axe.RequireNone();
    }

    [Fact]
    public async Task No_state_of_the_page_is_wider_than_320_px()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, gold, _) = await api.LetterAsync();
        var alice = await OpenAsync(
            host,
            "alice",
            new()
            {
                ViewportSize = new() { Width = 320, Height = 640 },
            }
        );
        await FitsAsync("list");
        await alice.Button("Administration").ClickAsync();
        await Expect(alice.Page.Locator("[data-session=alice]").First).ToBeVisibleAsync();
        await FitsAsync("administration");
        await alice.Button("Close").ClickAsync();
        await alice.OpenFileAsync(file);
        await alice.IsEditableAsync();
        await FitsAsync("file");
        await alice.Text.ClickAsync();
        await alice.Page.Keyboard.PressAsync("Control+f");
        await FitsAsync("search panel");
        await alice.Page.Keyboard.PressAsync("Escape");
        await alice.Page.GetByLabel("Compare with").SelectOptionAsync(gold);
        await Expect(alice.Changes).ToBeVisibleAsync();
        await FitsAsync("comparison");

        async Task FitsAsync(string state)
        {
            await alice.Page.PictureAsync("documents-320-{state.Replace(' ', '-')}");
            Assert.True(await alice.Page.EvaluateAsync<int>(Overflow) <= 0, state);
        }
    }

    [Fact]
    public async Task A_phone_switches_between_text_and_PDF()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, source) = await api.LetterAsync();
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 390, Height = 844 },
            HasTouch = true,
            IsMobile = true,
        };
        var bob = await OpenAsync(host, "bob", options);
        await bob.File(file).TapAsync();
        await bob.IsEditableAsync();
        await Expect(bob.Source).ToBeHiddenAsync();
        await Expect(bob.Button("Text")).ToHaveAttributeAsync("aria-pressed", "true");
        await bob.Button("PDF").TapAsync();
        await Expect(bob.Source).ToBeInViewportAsync();
        await Expect(bob.Editor).ToBeHiddenAsync();
        await Expect(bob.Page.GetByRole(AriaRole.Link, new() { Name = "Open the PDF" }))
            .ToHaveAttributeAsync("href", $"/api/v1/files/{source}?dunlin-user=bob");
        await bob.Page.PictureAsync("documents-phone-pdf");
        Assert.True(await bob.Source.EvaluateAsync<bool>("frame => frame.getBoundingClientRect().height > 200"));
        await bob.Button("Text").TapAsync();
        await Expect(bob.Editor).ToBeInViewportAsync();
        await Expect(bob.Source).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Text_and_PDF_are_resized_by_keyboard_and_pointer_and_remembered()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var bob = await OpenAsync(host, "bob");
        await bob.OpenFileAsync(file);
        var separator = bob.Page.GetByRole(AriaRole.Separator, new() { Name = "Width of the text" });
        await separator.FocusAsync();
        await bob.Page.Keyboard.PressAsync("End");
        await Expect(separator).ToHaveAttributeAsync("aria-valuenow", "80");
        var wide = (await bob.Editor.BoundingBoxAsync())!.Width;
        await bob.Page.Keyboard.PressAsync("ArrowLeft");
        await Expect(separator).ToHaveAttributeAsync("aria-valuenow", "75");
        Assert.True((await bob.Editor.BoundingBoxAsync())!.Width < wide);
        await bob.Page.ReloadAsync();
        await bob.ReadyAsync();
        await Expect(separator).ToHaveAttributeAsync("aria-valuenow", "75");

        var box = (await separator.BoundingBoxAsync())!;
        await bob.Page.Mouse.MoveAsync(box.X + 5, box.Y + 100);
        await bob.Page.Mouse.DownAsync();
        await bob.Page.Mouse.MoveAsync(box.X - 200, box.Y + 100);
        await bob.Page.Mouse.UpAsync();
        await Expect(separator).Not.ToHaveAttributeAsync("aria-valuenow", "75");
        Assert.True((await separator.BoundingBoxAsync())!.X < box.X - 150);
        await bob.Page.PictureAsync("documents-resized");
        // Another user of this browser has a width of the own.
        Assert.Equal(
            ["dunlin.documents.split bob"],
            await bob.Page.EvaluateAsync<string[]>("() => Object.keys(localStorage).filter(key => key.includes('split'))")
        );
    }

    [Fact]
    public async Task The_list_loads_at_most_150_KiB_of_compressed_script_and_style()
    {
        await using var host = await TestHost.StartAsync();
        using var api = await DocumentsApi.OpenAsync(host, "alice");
        var (file, _, _) = await api.LetterAsync();
        var page = await host.OpenAsync(browser.Browser, "bob", "/");
        var assets = new List<IResponse>();
        page.Response += (_, response) =>
        {
            if (response.Request.ResourceType is "script" or "stylesheet")
                assets.Add(response);
        };
        await page.GotoAsync(new Uri(host.Address, "/documents").ToString());
        var bob = new DocumentPage(page);
        await bob.ReadyAsync();
        var before = assets.ToArray();
        var bytes = 0L;
        foreach (var asset in before)
            bytes += Compressed(await asset.BodyAsync());
        Assert.InRange(bytes, 1, 150 * 1024);
        await bob.OpenFileAsync(file);
        await bob.IsEditableAsync();
        Assert.True(assets.Count > before.Length, "The editor is loaded with the first document.");

        static long Compressed(byte[] content)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
                gzip.Write(content);
            return compressed.Length;
        }
    }

    private Task<DocumentPage> OpenAsync(TestHost host, string user, BrowserNewContextOptions? options = null) =>
        DocumentPage.OpenAsync(host, browser, user, options: options);
}
