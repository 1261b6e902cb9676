using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class NarrowTests(BrowserFixture browser)
{
    // The calendar hides what does not fit, so the width of the document does not tell.
    private const string Wide = """
        () => [...document.querySelectorAll('main button, main input, main select, main label, dialog[open] *')]
          .filter(each => each.checkVisibility() && !each.matches('.segments input'))
          .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5 || each.getBoundingClientRect().left < -0.5)
          .map(each => each.outerHTML.slice(0, 120))
        """;

    [Fact]
    public async Task All_controls_fit_a_page_of_320_pixels()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(
            browser,
            new()
            {
                ViewportSize = new() { Width = 320, Height = 780 },
                HasTouch = true,
                IsMobile = true,
                ColorScheme = ColorScheme.Dark,
            }
        );
        await FitsAsync("page");
        await page.Locator(".calendar").ScrollIntoViewIfNeededAsync();
        await page.GetByText("Month", new() { Exact = true }).TapAsync();
        await FitsAsync("month");
        await page.GetByRole(AriaRole.Button, new() { Name = "Event", Exact = true }).TapAsync();
        await page.Locator("[name=repeat]").SelectOptionAsync("weekly");
        await page.Locator("[name=repeatEnd]").SelectOptionAsync("until");
        await FitsAsync("event");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).TapAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Adjust the lengths" }).TapAsync();
        await page.GetByLabel("Long break", new() { Exact = true }).CheckAsync();
        await FitsAsync("lengths");

        async Task FitsAsync(string view)
        {
            var wide = await page.EvaluateAsync<string[]>(Wide);
            Assert.True(wide.Length == 0, $"{view}: {string.Join('\n', wide)}");
            await page.PictureAsync($"focus-narrow-{view}");
        }
    }
}
