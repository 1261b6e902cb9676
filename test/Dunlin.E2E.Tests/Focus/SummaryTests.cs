using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class SummaryTests(BrowserFixture browser)
{
    [Fact]
    public async Task Finished_timers_show_in_the_chart_and_table_of_day_and_week()
    {
        await using var host = await TestHost.StartAsync();
        // A zone in which it is noon, so that no timer runs over midnight.
        var noon = 12 - host.Time.GetUtcNow().Hour;
        var page = await host.OpenFocusAsync(
            browser,
            new()
            {
                ViewportSize = new() { Width = 1280, Height = 900 },
                TimezoneId = $"Etc/GMT{-noon:+0;-0;+0}",
            }
        );
        await Expect(page.Locator("[data-week-total]")).ToHaveTextAsync("0 min this week");
        var today = host.Time.GetUtcNow().AddHours(noon);
        await FinishAsync("Write the book", 40);
        await Expect(page.Locator("[data-week-total]")).ToHaveTextAsync("40 min this week");
        await FinishAsync("Plan", 50);
        await Expect(page.Locator("[data-week-total]")).ToHaveTextAsync("1 h 30 min this week");
        // The session of the first request has expired meanwhile.
        using var tablet = await host.DeviceAsync();
        await tablet.OkAsync(HttpMethod.Post, "/api/timer/start", new { taskTitle = "Not this", plannedMinutes = 10 });
        await tablet.OkAsync(HttpMethod.Post, "/api/timer/cancel", new { });
        var row = page.Locator($"[data-total='{today:yyyy-MM-dd}']");
        await row.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(row.GetByRole(AriaRole.Cell).First).ToContainTextAsync("min");
        await Expect(page.Locator("[data-day-tasks]")).ToContainTextAsync("Write the book");
        await Expect(page.Locator("[data-day-tasks]")).Not.ToContainTextAsync("Not this");
        await Expect(page.Locator(".summary-bar")).ToHaveCountAsync(7);
        Assert.True(
            await page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('.summary-bar')].some(bar => bar.getBoundingClientRect().height > 20)"
            )
        );
        await page.Locator(".summary").ScrollIntoViewIfNeededAsync();
        await page.PictureAsync("focus-summary");
        await page.GetByRole(AriaRole.Button, new() { Name = "Week after" }).ClickAsync();
        await Expect(page.Locator("[data-week-total]")).ToHaveTextAsync("0 min this week");

        async Task FinishAsync(string taskTitle, int minutes)
        {
            using var device = await host.DeviceAsync();
            await device.OkAsync(HttpMethod.Post, "/api/timer/start", new { taskTitle, plannedMinutes = minutes });
            await page.LooksAsync("elsewhere");
            host.Time.Advance(TimeSpan.FromMinutes(minutes));
            await page.LooksAsync("idle");
        }
    }
}
