using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class KeyboardTests(BrowserFixture browser)
{
    [Fact]
    public async Task The_main_job_is_done_without_a_pointer()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        using var tablet = await host.DeviceAsync();
        var keys = page.Keyboard;

        // A task, chosen for the timer.
        await keys.PressAsync("n");
        await keys.TypeAsync("Learn the song");
        await keys.PressAsync("Enter");
        await Expect(page.Locator("[data-task]", new() { HasText = "Learn the song" }).GetByText("Waiting")).ToHaveCountAsync(0);
        await TabToAsync(page, "Focus on Learn the song");
        await keys.PressAsync("Enter");
        await TabToAsync(page, "Start", "Shift+Tab");
        await keys.PressAsync("Enter");
        await page.LooksAsync("running");
        await Expect(page.Locator(".timer-title")).ToHaveTextAsync("Learn the song");

        // Pause and resume, then complete.
        await TabToAsync(page, "Pause");
        await keys.PressAsync("Enter");
        await page.LooksAsync("paused");
        await TabToAsync(page, "Resume");
        await keys.PressAsync("Space");
        await page.LooksAsync("running");
        host.Time.Advance(TimeSpan.FromMinutes(10));
        await TabToAsync(page, "Complete");
        await keys.PressAsync("Enter");
        await page.LooksAsync("idle");
        await Expect(page.GetByText("10 min logged to “Learn the song”.")).ToBeVisibleAsync();

        // Plans the task in the calendar and moves the event.
        await TabToAsync(page, "Plan Learn the song");
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Title", new() { Exact = true })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await page.SavedAsync();
        var today = DateOnly.FromDateTime(host.Time.GetUtcNow().UtcDateTime);
        var (start, end) = await tablet.TimesAsync(today.AddDays(-1), "Learn the song");
        await TabToAsync(page, "Learn the song", within: ".week");
        await keys.PressAsync("ArrowUp");
        await keys.PressAsync("Shift+ArrowUp");
        await page.SavedAsync();
        var (from, to) = await tablet.TimesAsync(today.AddDays(-1), "Learn the song");
        Assert.Equal(TimeSpan.FromMinutes(15), Time(start) - Time(from));
        Assert.Equal(TimeSpan.FromMinutes(30), Time(end) - Time(to));

        // Deletes it in its dialog and takes that back; the week and the month turn by key.
        await keys.PressAsync("Enter");
        await TabToAsync(page, "Delete");
        await keys.PressAsync("Enter");
        await Expect(page.Event("Learn the song")).ToHaveCountAsync(0);
        await keys.PressAsync("Control+z");
        await Expect(page.Event("Learn the song")).ToHaveCountAsync(1);
        await keys.PressAsync("m");
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Month" })).ToBeVisibleAsync();
        await keys.PressAsync("w");
        await keys.PressAsync("]");
        await Expect(page.Event("Learn the song")).ToHaveCountAsync(0);
        await keys.PressAsync("t");
        await Expect(page.Event("Learn the song")).ToHaveCountAsync(1);
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Presses Tab until the control with this name has the focus, which must be visible.</summary>
    private static async Task TabToAsync(IPage page, string name, string key = "Tab", string within = "body")
    {
        for (var i = 0; i < 120; i++)
        {
            await page.Keyboard.PressAsync(key);
            var isThere = await page.EvaluateAsync<bool>(
                """
                ([name, within]) => {
                  const now = document.activeElement;
                  const text = now?.getAttribute('aria-label') ?? now?.textContent?.trim() ?? '';
                  const style = now && getComputedStyle(now);
                  return now?.closest(within) !== null && text.startsWith(name) && style?.outlineStyle !== 'none' && style?.opacity !== '0';
                }
                """,
                new[] { name, within }
            );
            if (isThere)
                return;
        }
        Assert.Fail($"No control '{name}' is reached by {key} with a visible focus.");
    }
}
