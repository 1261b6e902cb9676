using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class MonthTests(BrowserFixture browser)
{
    [Fact]
    public async Task An_all_day_event_with_a_colour_shows_in_week_month_and_every_zone()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        var abroad = await host.OpenFocusAsync(
            browser,
            new()
            {
                ViewportSize = new() { Width = 1280, Height = 900 },
                TimezoneId = "Pacific/Honolulu",
            }
        );
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);
        await page.GetByRole(AriaRole.Button, new() { Name = "Event", Exact = true }).ClickAsync();
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Conference");
        await page.GetByLabel("All day").CheckAsync();
        await Expect(page.Locator("[name=from]")).ToHaveCountAsync(0);
        await page.Locator("[name=day]").FillAsync(Date(monday.AddDays(1)));
        await page.Locator("[name=lastDay]").FillAsync(Date(monday.AddDays(2)));
        await page.GetByRole(AriaRole.Radio, new() { Name = "purple" }).CheckAsync();
        await page.PictureAsync("focus-event-all-day");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator(".all-day [data-color=purple]", new() { HasText = "Conference" })).ToBeVisibleAsync();
        await page.SavedAsync();
        Assert.Equal((monday.At(1, "00:00"), monday.At(3, "00:00")), await tablet.TimesAsync(monday, "Conference"));

        await page.Event("Conference").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("Shift+ArrowRight");
        await page.SavedAsync();
        Assert.Equal((monday.At(2, "00:00"), monday.At(5, "00:00")), await tablet.TimesAsync(monday, "Conference"));
        await Expect(page.Event("Conference")).ToBeFocusedAsync();

        foreach (var each in new[] { page, abroad })
        {
            await each.GetByRole(AriaRole.Button, new() { Name = "Today", Exact = true }).ClickAsync();
            await each.GetByText("Month", new() { Exact = true }).ClickAsync();
            if (await each.Locator($"[data-day='{Date(monday.AddDays(4))}']").CountAsync() == 0)
                await each.GetByRole(AriaRole.Button, new() { Name = "Month after" }).ClickAsync();
            for (var day = 1; day <= 5; day++)
                await Expect(each.Locator($"[data-day='{Date(monday.AddDays(day))}']").GetByText("Conference"))
                    .ToHaveCountAsync(day is 2 or 3 or 4 ? 1 : 0);
        }
        await page.PictureAsync("focus-month");

        // A day of the month leads to its week, and a busy day says how many are hidden.
        for (var i = 0; i < 4; i++)
            await tablet.OkAsync(
                HttpMethod.Post,
                "/api/calendar/events",
                new
                {
                    title = $"Talk {i}",
                    start = monday.At(3, $"1{i}:00"),
                    end = monday.At(3, $"1{i}:30"),
                }
            );
        await page.Locator($"[data-day='{Date(monday.AddDays(3))}']").GetByText("3 more").ClickAsync();
        await Expect(page.Event("Talk 3")).ToBeVisibleAsync();
        await Expect(page.Locator(".all-day").GetByText("Conference")).ToBeVisibleAsync();
    }

    private static string Date(DateOnly date) => date.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
