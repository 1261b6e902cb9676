using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>The documents page in one user's browser.</summary>
internal sealed class DocumentPage(IPage page)
{
    public const string Locked = "This document is being edited by another user";
    public const string Editable = "You can now edit this document";

    public IPage Page => page;

    public ILocator Editor => page.Locator("[data-editor]");

    public ILocator Text => page.Locator("[data-editor] .cm-content");

    public ILocator Source => page.Locator("iframe.source");

    /// <summary>The names of the users who wait for the open document.</summary>
    public ILocator Queue => page.Locator(".queue > li");

    /// <summary>The number of changes in the comparison, or the current one.</summary>
    public ILocator Changes => page.Locator(".comparison-count");

    public ILocator Dialog => page.Locator("dialog[open]");

    public ILocator File(string id) => page.Locator($"[data-file='{id}']");

    public ILocator Toast(string text) => page.Locator(".toast[role=status]", new() { HasText = text });

    public ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public static async Task<DocumentPage> OpenAsync(
        TestHost host,
        BrowserFixture browser,
        string user,
        string path = "/documents",
        BrowserNewContextOptions? options = null
    )
    {
        var page = new DocumentPage(await host.OpenAsync(browser.Browser, user, path, options));
        await page.ReadyAsync();
        return page;
    }

    /// <summary>Waits until the list is displayed and the stream is live.</summary>
    public async Task ReadyAsync()
    {
        await Expect(page.Locator("[data-connection=live]")).ToHaveCountAsync(1);
        await Expect(page.Locator("[data-file]").First).ToBeAttachedAsync();
    }

    public async Task OpenFileAsync(string id)
    {
        await File(id).ClickAsync();
        await Expect(page.Locator($"main[data-open='{id}']:not([data-mode=loading])")).ToHaveCountAsync(1);
    }

    public Task IsEditableAsync() => Expect(Editor).ToHaveAttributeAsync("data-editor", "editable");

    public Task IsReadOnlyAsync() => Expect(Editor).ToHaveAttributeAsync("data-editor", "readonly");

    /// <summary>Leaves the open file, which releases its lock.</summary>
    public async Task LeaveAsync()
    {
        await page.EvaluateAsync("() => { history.pushState(null, '', '/documents'); dispatchEvent(new PopStateEvent('popstate')); }");
        await Expect(page.Locator("main[data-open='']")).ToHaveCountAsync(1);
    }

    /// <summary>Replaces the text with the keyboard, as a user does.</summary>
    public async Task TypeAsync(string text)
    {
        await Text.ClickAsync();
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.InsertTextAsync(text);
        await Expect(page.Locator(".status[data-status=dirty]")).ToHaveCountAsync(1);
    }

    /// <summary>Takes back an operation on its toast.</summary>
    public Task UndoAsync(string toast) => Toast(toast).GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();

    public async Task SaveAsync()
    {
        await page.Keyboard.PressAsync("Control+s");
        await Expect(page.Locator(".status[data-status=editing]")).ToHaveCountAsync(1);
    }
}
