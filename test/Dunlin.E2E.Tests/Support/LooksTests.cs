using System.Text.Json;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Visual requirements of every page.</summary>
public sealed class LooksTests(BrowserFixture browser)
{
    // WCAG 2.2, 1.4.3: contrast of 4.5 to 1, and 3 to 1 for large text. Blends nested backgrounds.
    private const string FaintTexts = """
        () => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const read = color => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
            return [r, g, b, a / 255];
          };
          const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
          const light = color => {
            const [r, g, b] = color.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const faint = new Set();
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const element = texts.currentNode.parentElement, text = texts.currentNode.textContent.trim();
            const isVisible = element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
            if (!text || !isVisible || element.closest('[disabled], script, style')) continue;
            let below = [255, 255, 255], opacity = 1;
            const nested = [];
            for (let each = element; each; each = each.parentElement) {
              nested.unshift(each);
              opacity *= Number(getComputedStyle(each).opacity);
            }
            for (const each of nested) below = over(read(getComputedStyle(each).backgroundColor), below);
            const style = getComputedStyle(element), color = read(style.color);
            color[3] *= opacity;
            const [one, other] = [light(over(color, below)), light(below)].sort((a, b) => b - a);
            const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
            if ((one + 0.05) / (other + 0.05) < (isLarge ? 3 : 4.5)) faint.add(`${element.tagName}.${element.className}: ${text}`);
          }
          return [...faint];
        }
        """;

    [Theory]
    [InlineData(ColorScheme.Dark, "en-GB")]
    [InlineData(ColorScheme.Light, "ru-RU")]
    public async Task No_page_scrolls_sideways_on_a_phone_and_texts_have_contrast(ColorScheme scheme, string locale)
    {
        await using var host = await TestHost.StartAsync();
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 390, Height = 844 },
            ColorScheme = scheme,
            Locale = locale,
            ReducedMotion = ReducedMotion.Reduce,
        };
        var page = await host.OpenAsync(browser.Browser, "alice", "/", options);
        foreach (var path in new[] { "/", "/wishlists", "/documents", "/todos", "/branch/1", "/focus" })
        {
            await page.GotoAsync(new Uri(host.Address, path).ToString());
            await Pages.Expect(page.Locator(".avatar").First).ToBeVisibleAsync();
            if (path == "/branch/1")
                await Pages.Expect(page.Locator(".cell-empty:visible").First).ToBeVisibleAsync();
            Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
            var faint = await page.EvaluateAsync<JsonElement>(FaintTexts);
            Assert.True(faint.GetArrayLength() == 0, $"{path}: {faint}");
        }
    }
}
