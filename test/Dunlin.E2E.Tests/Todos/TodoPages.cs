using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>Operations of the todos tests on the page.</summary>
internal static class TodoPages
{
    public static ILocator Entry(IPage page, string text) => page.Locator($"[data-task][data-title=\"{text}\"]");

    public static ILocator Title(IPage page, string id) => page.Locator($"[data-task={id}] .entry-title textarea");

    public static async Task AddAsync(IPage page, string text)
    {
        var field = page.Locator(".new-entry input");
        await field.FillAsync(text);
        await field.PressAsync("Enter");
        await Expect(Entry(page, text)).ToHaveCountAsync(1);
    }

    public static async Task RenameAsync(IPage page, string id, string text)
    {
        await Title(page, id).FillAsync(text);
        await Title(page, id).PressAsync("Enter");
        await Expect(Entry(page, text)).ToHaveCountAsync(1);
    }

    public static async Task LiveAsync(params IPage[] pages)
    {
        foreach (var page in pages)
            await Expect(page.Locator(".connection[data-connection=live]")).ToBeVisibleAsync(new() { Timeout = 20_000 });
    }

    public static Task SentAsync(IPage page) => Expect(page.Locator("[data-pending='0']")).ToHaveCountAsync(1);

    public static ILocator Checkbox(IPage page, string id) => page.Locator($"[data-task={id}] input[type=checkbox]");

    /// <summary>Waits until the entries are shown in this order.</summary>
    public static async Task OrderAsync(IPage page, params string[] ids)
    {
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(ids.Length);
        foreach (var (i, id) in ids.Index())
            await Expect(page.Locator("[data-task]").Nth(i)).ToHaveAttributeAsync("data-task", id);
    }
}
