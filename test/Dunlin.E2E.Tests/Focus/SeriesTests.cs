using System.Net;
using System.Text;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>Repeating events and calendar files in the page.</summary>
public sealed class SeriesTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_repeating_event_is_changed_for_one_following_and_all()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        var other = await host.OpenFocusAsync(browser);
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);
        await other.ShowNextWeekAsync(host);
        await page.DragAsync(await page.PointAsync(0, 9), await page.PointAsync(0, 10));
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Stretching");
        await page.Locator("[name=repeat]").SelectOptionAsync("daily");
        await page.Locator("[name=repeatEnd]").SelectOptionAsync("count");
        await page.GetByLabel("Times").FillAsync("6");
        await page.PictureAsync("focus-event-repeat");
        await SaveAsync(page);
        foreach (var each in new[] { page, other })
            await Expect(each.Event("Stretching")).ToHaveCountAsync(6);

        // One occurrence moves by drag, the others stay.
        await page.DragAsync(await page.PointAsync(1, 9.5), await page.PointAsync(1, 11.5));
        await ShowsAsync("9 11 9 9 9 9");
        // This and the following are renamed.
        await OpenAsync(page, 3);
        await page.GetByLabel("This and following events").CheckAsync();
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Yoga");
        await SaveAsync(page);
        foreach (var each in new[] { page, other })
        {
            await Expect(each.Event("Yoga")).ToHaveCountAsync(3);
            await Expect(each.Event("Stretching")).ToHaveCountAsync(3);
        }
        // All of the first series move; the one that was changed keeps its time.
        await OpenAsync(page, 2);
        await page.GetByLabel("All events").CheckAsync();
        await page.Locator("[name=from]").FillAsync("08:00");
        await page.Locator("[name=to]").FillAsync("08:30");
        await SaveAsync(page);
        await ShowsAsync("8 11 8 9 9 9");
        // Deletes one, undoes it, and deletes those that follow.
        await OpenAsync(page, 5);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await ShowsAsync("8 11 8 9 9");
        await page.UndoAsync();
        await ShowsAsync("8 11 8 9 9 9");
        await OpenAsync(page, 4);
        await page.GetByLabel("This and following events").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await ShowsAsync("8 11 8 9 9");
        Assert.Equal(
            ["08:00", "11:00", "08:00", "09:00", "09:00"],
            (await tablet.EventsAsync(monday)).Select(each => each.GetProperty("start").GetString()![11..16])
        );

        async Task ShowsAsync(string hours)
        {
            foreach (var each in new[] { page, other })
                await HoursAsync(each, hours);
        }
    }

    [Fact]
    public async Task A_calendar_file_is_imported_and_the_calendar_downloaded()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.BadRequest);
        var page = await host.OpenFocusAsync(browser);
        var monday = await page.ShowNextWeekAsync(host);
        var ics = string.Join(
            "\r\n",
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Example//Test//EN",
            "BEGIN:VEVENT",
            "UID:trip@example.org",
            "DTSTAMP:20300101T000000Z",
            "SUMMARY:Trip to Bremen",
            $"DTSTART:{monday:yyyyMMdd}T080000Z",
            $"DTEND:{monday:yyyyMMdd}T100000Z",
            "RRULE:FREQ=DAILY;COUNT=3",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "UID:tick@example.org",
            "DTSTAMP:20300101T000000Z",
            "SUMMARY:Tick",
            $"DTSTART:{monday:yyyyMMdd}T080000Z",
            "RRULE:FREQ=MINUTELY",
            "END:VEVENT",
            "END:VCALENDAR",
            ""
        );
        await page.GetByRole(AriaRole.Button, new() { Name = "Calendar files" }).ClickAsync();
        var file = new FilePayload
        {
            Name = "trip.ics",
            MimeType = "text/calendar",
            Buffer = Encoding.UTF8.GetBytes(ics),
        };
        await page.GetByLabel("Import a file").SetInputFilesAsync(file);
        await Expect(page.Locator("[data-imported]")).ToHaveTextAsync("1 event added, 0 changed, 0 unchanged, 1 skipped.");
        await Expect(page.Locator(".skipped")).ToContainTextAsync("Tick");
        await page.PictureAsync("focus-import");
        await page.GetByLabel("Import a file").SetInputFilesAsync(file);
        await Expect(page.Locator("[data-imported]")).ToHaveTextAsync("0 events added, 0 changed, 1 unchanged, 1 skipped.");
        file.Buffer = Encoding.UTF8.GetBytes("no calendar");
        await page.GetByLabel("Import a file").SetInputFilesAsync(file);
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not an iCalendar file");
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Download this calendar" }).ClickAsync()
        );
        Assert.Equal("focus.ics", download.SuggestedFilename);
        var exported = await System.IO.File.ReadAllTextAsync(await download.PathAsync());
        Assert.Contains("SUMMARY:Trip to Bremen", exported, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Close" }).Last.ClickAsync();
        await Expect(page.Event("Trip to Bremen")).ToHaveCountAsync(3);
    }

    /// <summary>Waits until the events of the week start at these hours, in order of the days.</summary>
    private static async Task HoursAsync(IPage page, string hours) =>
        await page.WaitForFunctionAsync(
            "hours => [...document.querySelectorAll('.week [data-event]')].map(at => parseFloat(at.style.top) / 48).join(' ') === hours",
            hours
        );

    /// <summary>Opens the only event of a day.</summary>
    private static Task OpenAsync(IPage page, int day) => page.Locator(".week-day").Nth(day).Locator("[data-event]").ClickAsync();

    private static async Task SaveAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await page.SavedAsync();
    }
}
