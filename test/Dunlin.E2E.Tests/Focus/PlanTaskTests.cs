using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class PlanTaskTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_task_dropped_on_the_calendar_becomes_an_event_of_that_task()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);
        var task = page.Locator("[data-task]", new() { HasText = "Read the contract" });
        var taskId = await task.GetAttributeAsync("data-task");
        var column = page.Locator(".week-day-hours").Nth(2);
        await task.DragToAsync(
            column,
            new()
            {
                SourcePosition = new() { X = 60, Y = 4 },
                TargetPosition = new() { X = 40, Y = 10 * FocusPages.HourHeight },
            }
        );
        await page.SavedAsync();
        await Expect(page.Event("Read the contract")).ToHaveCSSAsync("height", $"{FocusPages.HourHeight - 2}px");
        var planned = (await tablet.EventsAsync(monday)).Single();
        Assert.Equal(
            (monday.At(2, "10:00"), monday.At(2, "11:00"), taskId),
            (planned.GetProperty("start").GetString(), planned.GetProperty("end").GetString(), planned.GetProperty("taskId").GetString())
        );
        await page.UndoAsync();
        await Expect(page.Event("Read the contract")).ToHaveCountAsync(0);

        // A day of the month plans the whole day.
        await page.GetByText("Month", new() { Exact = true }).ClickAsync();
        var day = page.Locator($"[data-day='{monday.AddDays(1):yyyy-MM-dd}']");
        await task.DragToAsync(
            day,
            new()
            {
                SourcePosition = new() { X = 60, Y = 4 },
            }
        );
        await Expect(day.GetByText("Read the contract")).ToBeVisibleAsync();
        await page.SavedAsync();
        Assert.True((await tablet.EventsAsync(monday)).Single().GetProperty("isAllDay").GetBoolean());

        // The event leads to the task: its timer logs to it.
        await day.GetByText("Read the contract").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start to focus on it" }).ClickAsync();
        await page.LooksAsync("running");
        await Expect(page.Locator(".timer-title")).ToHaveTextAsync("Read the contract");
    }
}
