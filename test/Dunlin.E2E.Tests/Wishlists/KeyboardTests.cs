using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>The main job of the page with the keyboard alone.</summary>
public sealed class KeyboardTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_list_is_made_filled_ordered_and_shared_by_keyboard_alone()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "dave", "/wishlists");
        await TabToAsync("INPUT", "Name of the new list");
        await page.Keyboard.TypeAsync("New home");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "New home" })).ToBeVisibleAsync();

        await TabToAsync("INPUT", "A link or a wish");
        foreach (var wish in new[] { "Kettle", "Teapot" })
        {
            await page.Keyboard.TypeAsync(wish);
            await page.Keyboard.PressAsync("Enter");
            await Expect(Wish(page, wish)).ToBeVisibleAsync();
        }
        await TabToAsync("BUTTON", "Edit Kettle");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        // The dialog begins with its first field.
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.TypeAsync("Enamel kettle");
        await TabToAsync("INPUT", "Price");
        await page.Keyboard.TypeAsync("39,50");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Wish(page, "Enamel kettle").GetByText("€39.50")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Edit Enamel kettle" })).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Shift+Tab");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Move Enamel kettle" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(page.Locator(".wish-title")).ToHaveTextAsync(["Enamel kettle", "Teapot"]);

        await TabToAsync("BUTTON", "Delete: Teapot");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Wish(page, "Teapot")).ToHaveCountAsync(0);
        // The focus does not fall to the start of the document.
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete: Enamel kettle" })).ToBeFocusedAsync();
        await TabToAsync("BUTTON", "Undo");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Wish(page, "Teapot")).ToBeVisibleAsync();

        await TabToAsync("BUTTON", "Share");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await TabToAsync("BUTTON", "Make a link");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-share]")).ToHaveCountAsync(1);
        await TabToAsync("BUTTON", "Copy");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Share" })).ToBeFocusedAsync();
        await CloudAsync(page, "synced", 0);

        async Task TabToAsync(string tag, string name)
        {
            const string Focused = """
                () => {
                  const e = document.activeElement;
                  const label = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;
                  return `${e.tagName} ${label.trim()}`;
                }
                """;
            var seen = new List<string>();
            for (var i = 0; i < 60; i++)
            {
                seen.Add(await page.EvaluateAsync<string>(Focused));
                if (seen[^1] == $"{tag} {name}")
                    return;
                await page.Keyboard.PressAsync("Tab");
            }
            Assert.Fail($"Tab does not reach {tag} '{name}'. It reaches: {string.Join(", ", seen.Distinct())}.");
        }
    }
}
