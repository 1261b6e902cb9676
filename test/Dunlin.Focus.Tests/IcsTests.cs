using System.Globalization;
using System.Text.Json;

namespace Dunlin.Focus.Tests;

public sealed class IcsTests
{
    private const string File = """
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Example//Test//EN
        BEGIN:VEVENT
        UID:weekly@example.org
        DTSTAMP:20300101T000000Z
        SUMMARY:Team meeting
        DESCRIPTION:Bring numbers\, please.
        COLOR:blue
        DTSTART;TZID=Europe/Berlin:20300325T090000
        DTEND;TZID=Europe/Berlin:20300325T100000
        RRULE:FREQ=WEEKLY;COUNT=4
        EXDATE;TZID=Europe/Berlin:20300408T090000
        END:VEVENT
        BEGIN:VEVENT
        UID:weekly@example.org
        RECURRENCE-ID;TZID=Europe/Berlin:20300401T090000
        DTSTAMP:20300101T000000Z
        SUMMARY:Team meeting\, later
        DTSTART;TZID=Europe/Berlin:20300401T140000
        DTEND;TZID=Europe/Berlin:20300401T150000
        END:VEVENT
        BEGIN:VEVENT
        UID:holiday@example.org
        DTSTAMP:20300101T000000Z
        SUMMARY:Holiday
        DTSTART;VALUE=DATE:20300402
        DTEND;VALUE=DATE:20300404
        END:VEVENT
        BEGIN:VEVENT
        UID:floating@example.org
        DTSTAMP:20300101T000000Z
        SUMMARY:Local lunch
        DTSTART:20300403T120000
        DURATION:PT45M
        END:VEVENT
        BEGIN:VEVENT
        UID:hourly@example.org
        DTSTAMP:20300101T000000Z
        SUMMARY:Too often
        DTSTART:20300403T120000Z
        RRULE:FREQ=HOURLY
        END:VEVENT
        END:VCALENDAR
        """;

    private static readonly string[] Expected =
    [
        "2030-03-25T09:00:00+01:00 2030-03-25T10:00:00+01:00 Team meeting",
        "2030-04-01T14:00:00+02:00 2030-04-01T15:00:00+02:00 Team meeting, later",
        "2030-04-02T00:00:00+00:00 2030-04-04T00:00:00+00:00 Holiday",
        "2030-04-03T12:00:00-10:00 2030-04-03T12:45:00-10:00 Local lunch",
        "2030-04-15T09:00:00+02:00 2030-04-15T10:00:00+02:00 Team meeting",
    ];

    [Fact]
    public async Task A_file_is_imported_once_and_its_invalid_events_are_named()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var body = new { ics = File, timeZone = "Pacific/Honolulu" };
        var result = await laptop.OkAsync("POST", "/api/calendar/import", body);
        Assert.Equal((4, 0, 1), (Number(result, "created"), Number(result, "updated"), Number(result, "skippedCount")));
        Assert.Equal("Too often", result.GetProperty("skipped")[0].GetProperty("title").GetString());
        Assert.Equal(Expected, await ListAsync(laptop));
        var again = await laptop.OkAsync("POST", "/api/calendar/import", body);
        Assert.Equal((0, 0, 4), (Number(again, "created"), Number(again, "updated"), Number(again, "unchanged")));
        var renamed = await laptop.OkAsync(
            "POST",
            "/api/calendar/import",
            body with
            {
                ics = File.Replace("SUMMARY:Holiday", "SUMMARY:Day off", StringComparison.Ordinal),
            }
        );
        Assert.Equal((0, 1, 3), (Number(renamed, "created"), Number(renamed, "updated"), Number(renamed, "unchanged")));
    }

    [Fact]
    public async Task An_export_imports_elsewhere_as_the_same_calendar()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await laptop.OkAsync("POST", "/api/calendar/import", new { ics = File, timeZone = "Pacific/Honolulu" });
        using var response = await laptop.Http.GetAsync("/api/calendar/export");
        Assert.Equal("text/calendar", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("focus.ics", response.Content.Headers.ContentDisposition!.FileName);
        var ics = await response.Content.ReadAsStringAsync();
        using var bob = host.Client("bobs", "bob");
        var result = await bob.OkAsync("POST", "/api/calendar/import", new { ics });
        Assert.Equal((4, 0), (Number(result, "created"), Number(result, "skippedCount")));
        static string Instants(string line) =>
            string.Join(
                ' ',
                line.Split(' ')[..2]
                    .Select(each =>
                        DateTimeOffset.Parse(each, CultureInfo.InvariantCulture).UtcDateTime.ToString("s", CultureInfo.InvariantCulture)
                    )
            );
        Assert.Equal(Expected.Select(Instants), (await ListAsync(bob)).Select(Instants));
        // The same user's own file changes nothing, and brings a deleted event back.
        var own = await laptop.OkAsync("POST", "/api/calendar/import", new { ics, timeZone = "Pacific/Honolulu" });
        Assert.Equal(0, Number(own, "created"));
        foreach (var each in (await PageAsync(laptop)).EnumerateArray())
            await laptop.SendAsync("DELETE", $"/api/calendar/events/{each.GetProperty("id").GetString()}?scope=all");
        Assert.Empty(await ListAsync(laptop));
        await laptop.OkAsync("POST", "/api/calendar/import", new { ics, timeZone = "Pacific/Honolulu" });
        Assert.Equal(Expected.Select(Instants), (await ListAsync(laptop)).Select(Instants));
    }

    [Theory]
    [InlineData("", "UTC", "ics")]
    [InlineData("hello", "UTC", "ics")]
    [InlineData("BEGIN:VCALENDAR\nBEGIN:VEVENT", "UTC", "ics")]
    [InlineData("BEGIN:VCALENDAR\nEND:VCALENDAR", "Mars/Base", "timeZone")]
    public async Task A_file_that_is_no_calendar_is_refused(string ics, string timeZone, string field)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var (status, problem) = await laptop.SendAsync("POST", "/api/calendar/import", new { ics, timeZone });
        Assert.Equal((400, field), (status, problem.GetProperty("field").GetString()));
    }

    private static async Task<JsonElement> PageAsync(FocusClient client) =>
        (await client.OkAsync("GET", "/api/calendar/events?from=2030-03-01T00:00:00Z&to=2030-05-01T00:00:00Z")).GetProperty("items");

    private static async Task<IReadOnlyList<string>> ListAsync(FocusClient client) =>
        [.. (await PageAsync(client)).EnumerateArray().Select(each => $"{Text(each, "start")} {Text(each, "end")} {Text(each, "title")}")];

    private static string? Text(JsonElement from, string name) => from.GetProperty(name).GetString();

    private static int Number(JsonElement from, string name) => from.GetProperty(name).GetInt32();
}
