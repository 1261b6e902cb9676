using System.Globalization;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>
/// The calendar in a zone with clock changes. <c>clockChanges.test.ts</c> has the dates that users reported; these are in the year of the
/// tests.
/// </summary>
public sealed class ClockChangeTests(BrowserFixture browser)
{
    private const string Spring = "2030-03-31",
        Autumn = "2030-10-27";

    [Fact]
    public async Task Events_around_a_clock_change_keep_times_and_rows()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/focus", new() { TimezoneId = "Europe/Berlin" });
        await Expect(page.Locator("main[data-loaded=true]")).ToBeVisibleAsync(new() { Timeout = 20_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Today" }).ClickAsync();

        await ShowAsync(host, page, Spring);
        await AddAsync(page, "Skipped", Spring, "02:30", "04:00", "The clocks skip 2:30 AM on that day: 3:30 AM is meant.");
        await AddAsync(page, "Into it", Spring, "01:30", "02:30");
        await AddAsync(page, "Spring morning", Spring, "09:00", "10:00");
        await InRowAsync(page, "Skipped", 3.5);
        await InRowAsync(page, "Spring morning", 9);
        await Expect(Event(page, "Skipped").Locator(".entry-start")).ToHaveTextAsync("3:30 AM");

        await ShowAsync(host, page, Autumn, Spring);
        await AddAsync(page, "Autumn morning", Autumn, "09:00", "10:00");
        await AddAsync(page, "Late", Autumn, "23:15", "23:45");
        await InRowAsync(page, "Autumn morning", 9);
        await InRowAsync(page, "Late", 23.25);
        await Event(page, "Late").ScrollIntoViewIfNeededAsync();
        await Expect(Event(page, "Late")).ToBeInViewportAsync();
        // The second 02:30 of that night. No input can express it, and a rename must not change it to the first.
        await AddAsync(page, "Second", Autumn, "05:00", "06:00");
        var added = (await EventsAsync(page)).Single(each => Text(each, "title") == "Second");
        await page.EvaluateAsync(
            "id => fetch(`/api/calendar/events/${id}?deviceId=other`, {method: 'PATCH', headers: {'Content-Type': 'application/json'}, "
                + "body: JSON.stringify({start: '2030-10-27T02:30:00+01:00', end: '2030-10-27T02:50:00+01:00'})})",
            Text(added, "id")
        );
        await InRowAsync(page, "Second", 2.5);
        await Event(page, "Second").ClickAsync();
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Renamed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(Event(page, "Renamed")).ToHaveCountAsync(1);
        await Expect(page.Locator("[data-event].is-waiting")).ToHaveCountAsync(0);

        var times = (await EventsAsync(page)).ToDictionary(each => Text(each, "title"), each => (Text(each, "start"), Text(each, "end")));
        Assert.Equal((Spring + "T03:30:00+02:00", Spring + "T04:00:00+02:00"), times["Skipped"]);
        Assert.Equal((Spring + "T01:30:00+01:00", Spring + "T03:30:00+02:00"), times["Into it"]);
        Assert.Equal((Autumn + "T09:00:00+01:00", Autumn + "T10:00:00+01:00"), times["Autumn morning"]);
        Assert.Equal((Autumn + "T02:30:00+01:00", Autumn + "T02:50:00+01:00"), times["Renamed"]);
    }

    private static ILocator Event(IPage page, string title) => page.Locator("[data-event]", new() { HasText = title });

    private static string Text(JsonElement each, string name) => each.GetProperty(name).GetString()!;

    private static Task InRowAsync(IPage page, string title, double hour) =>
        Expect(Event(page, title)).ToHaveCSSAsync("top", string.Create(CultureInfo.InvariantCulture, $"{hour * 48}px"));

    private static async Task<IEnumerable<JsonElement>> EventsAsync(IPage page) =>
        (
            await page.EvaluateAsync<JsonElement>(
                "() => fetch('/api/calendar/events?from=2030-03-01T00:00:00Z&to=2030-12-01T00:00:00Z').then((answer) => answer.json())"
            )
        )
            .GetProperty("items")
            .EnumerateArray();

    /// <summary>Navigates to the week of a day.</summary>
    private static async Task ShowAsync(TestHost host, IPage page, string day, string? from = null)
    {
        static DateOnly Monday(DateOnly date) => date.AddDays(-(((int)date.DayOfWeek + 6) % 7));
        var today = from is null ? DateOnly.FromDateTime(host.Time.GetUtcNow().AddHours(1).DateTime) : Date(from);
        var weeks = (Monday(Date(day)).DayNumber - Monday(today).DayNumber) / 7;
        for (var i = 0; i < weeks; i++)
            await page.GetByRole(AriaRole.Button, new() { Name = "Week after" }).ClickAsync();
    }

    private static DateOnly Date(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static async Task AddAsync(IPage page, string title, string day, string from, string to, string? note = null)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Event", Exact = true }).ClickAsync();
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync(title);
        await page.Locator("[name=day]").FillAsync(day);
        await page.Locator("[name=lastDay]").FillAsync(day);
        await page.Locator("[name=from]").FillAsync(from);
        await page.Locator("[name=to]").FillAsync(to);
        if (note is not null)
            await Expect(page.GetByText(note)).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("[data-event]:not(.is-waiting)", new() { HasText = title })).ToHaveCountAsync(1);
    }
}
