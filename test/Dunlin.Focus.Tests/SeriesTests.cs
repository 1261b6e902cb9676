using System.Text.Json;

namespace Dunlin.Focus.Tests;

public sealed class SeriesTests
{
    private const string Path = "/api/calendar/events";

    [Fact]
    public async Task A_series_is_expanded_in_its_time_zone_across_a_clock_change()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("phone");
        using var laptop = host.Client();
        var made = await MakeAsync(laptop, "FREQ=WEEKLY", "2030-03-25T09:00:00+01:00", "2030-03-25T10:30:00+01:00");
        Assert.Equal(made.GetRawText(), (await stream.UntilAsync("calendar:event_created")).Payload.GetProperty("event").GetRawText());
        await host.RestartAsync();
        Assert.Equal(
            ["2030-03-25T09:00:00+01:00", "2030-04-01T09:00:00+02:00", "2030-04-08T09:00:00+02:00"],
            await StartsAsync(laptop, "2030-03-01", "2030-04-10")
        );
        var second = (await ListAsync(laptop, "2030-04-01", "2030-04-02")).Single();
        Assert.Equal(
            ("series", "series_20300401T070000Z", "2030-04-01T10:30:00+02:00", "FREQ=WEEKLY"),
            (Text(second, "seriesId"), Text(second, "id"), Text(second, "end"), Text(second, "recurrence"))
        );
        // A range that begins within an occurrence contains it; years later the rule still holds.
        Assert.Equal(["2030-04-01T09:00:00+02:00"], await StartsAsync(laptop, "2030-04-01T08:00:00Z", "2030-04-02"));
        Assert.Equal(["2040-04-02T09:00:00+02:00"], await StartsAsync(laptop, "2040-04-01", "2040-04-05"));
    }

    [Fact]
    public async Task One_occurrence_is_changed_or_deleted_and_the_others_stay()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("phone");
        using var laptop = host.Client();
        await MakeAsync(laptop, "FREQ=DAILY;COUNT=4", "2030-01-07T09:00:00+01:00", "2030-01-07T10:00:00+01:00");
        var occurrence = (await ListAsync(laptop, "2030-01-08", "2030-01-09")).Single();
        var change = new { start = "2030-01-08T14:00:00+01:00", end = "2030-01-08T15:00:00+01:00" };
        var (status, changed) = await ChangeAsync(laptop, Text(occurrence, "id"), change, Version(occurrence));
        Assert.Equal((200, Text(occurrence, "id"), "series"), (status, Text(changed, "id"), Text(changed, "seriesId")));
        await stream.UntilAsync(each => each.Name == "calendar:event_created" && Text(each.Payload, "id") == Text(occurrence, "id"));
        // The same request again changes nothing, and an edit of the older version is refused with the newer one.
        Assert.Equal(Version(changed), Version((await ChangeAsync(laptop, Text(occurrence, "id"), change, Version(occurrence))).Body));
        var (refused, problem) = await ChangeAsync(laptop, Text(occurrence, "id"), new { title = "Late" }, Version(occurrence));
        Assert.Equal((412, Version(changed)), (refused, Version(problem.GetProperty("current"))));

        await laptop.OkAsync("DELETE", $"{Path}/series_20300109T080000Z");
        Assert.Equal(404, (await laptop.SendAsync("DELETE", $"{Path}/series_20300109T080000Z")).Status);
        Assert.Equal(
            ["2030-01-07T09:00:00+01:00", "2030-01-08T14:00:00+01:00", "2030-01-10T09:00:00+01:00"],
            await StartsAsync(laptop, "2030-01-01", "2030-02-01")
        );
        // Deleting the changed occurrence does not bring the original back.
        await laptop.OkAsync("DELETE", $"{Path}/{Text(occurrence, "id")}");
        Assert.Equal(["2030-01-07T09:00:00+01:00", "2030-01-10T09:00:00+01:00"], await StartsAsync(laptop, "2030-01-01", "2030-02-01"));
        Assert.Equal(404, (await ChangeAsync(laptop, "series_20300111T080000Z", new { title = "Beyond" })).Status);
        Assert.Equal(400, (await ChangeAsync(laptop, "series_20300107T080000Z", new { recurrence = "FREQ=DAILY" })).Status);
    }

    [Fact]
    public async Task This_and_following_split_the_series_and_keep_its_exceptions()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await MakeAsync(laptop, "FREQ=DAILY;COUNT=6", "2030-01-07T09:00:00+01:00", "2030-01-07T10:00:00+01:00");
        await ChangeAsync(
            laptop,
            "series_20300111T080000Z",
            new
            {
                title = "Moved",
                start = "2030-01-11T18:00:00+01:00",
                end = "2030-01-11T19:00:00+01:00",
            }
        );
        await laptop.OkAsync("DELETE", $"{Path}/series_20300110T080000Z");
        var change = new
        {
            title = "Later",
            start = "2030-01-09T11:00:00+01:00",
            end = "2030-01-09T11:30:00+01:00",
        };
        const string From = "series_20300109T080000Z";
        var (status, next) = await ChangeAsync(laptop, From + "?scope=following", change);
        Assert.Equal((200, From, "FREQ=DAILY;COUNT=4"), (status, Text(next, "id"), Text(next, "recurrence")));
        string[] expected =
        [
            "2030-01-07T09:00:00+01:00",
            "2030-01-08T09:00:00+01:00",
            "2030-01-09T11:00:00+01:00",
            "2030-01-11T18:00:00+01:00",
            "2030-01-12T11:00:00+01:00",
        ];
        Assert.Equal(expected, await StartsAsync(laptop, "2030-01-01", "2030-02-01"));
        Assert.Equal(200, (await ChangeAsync(laptop, From + "?scope=following", change)).Status);
        Assert.Equal(expected, await StartsAsync(laptop, "2030-01-01", "2030-02-01"));
        await laptop.OkAsync("DELETE", $"{Path}/{From}_20300112T100000Z?scope=following");
        Assert.Equal(expected[..4], await StartsAsync(laptop, "2030-01-01", "2030-02-01"));
    }

    [Fact]
    public async Task All_occurrences_move_with_their_exceptions_and_are_deleted_together()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await MakeAsync(laptop, "FREQ=WEEKLY;COUNT=4", "2030-03-18T09:00:00+01:00", "2030-03-18T10:00:00+01:00");
        await laptop.OkAsync("DELETE", $"{Path}/series_20300325T080000Z");
        await ChangeAsync(laptop, "series_20300318T080000Z", new { title = "First" });
        // From the occurrence in summer time: the local time of all moves, by a day and an hour.
        var change = new { start = "2030-04-02T10:00:00+02:00", end = "2030-04-02T12:00:00+02:00" };
        Assert.Equal(200, (await ChangeAsync(laptop, "series_20300401T070000Z?scope=all", change)).Status);
        Assert.Equal(
            ["2030-03-18T09:00:00+01:00 First", "2030-04-02T10:00:00+02:00 Daily", "2030-04-09T10:00:00+02:00 Daily"],
            (await ListAsync(laptop, "2030-03-01", "2030-05-01")).Select(each => $"{Text(each, "start")} {Text(each, "title")}")
        );
        Assert.Equal(
            200,
            (await ChangeAsync(laptop, "series_20300402T080000Z?scope=all", new { recurrence = "FREQ=MONTHLY;COUNT=2" })).Status
        );
        Assert.Equal(["2030-03-18T09:00:00+01:00", "2030-04-19T10:00:00+02:00"], await StartsAsync(laptop, "2030-03-01", "2030-06-01"));
        await laptop.OkAsync("DELETE", $"{Path}/series_20300419T080000Z?scope=all");
        Assert.Empty(await StartsAsync(laptop, "2030-03-01", "2030-06-01"));
    }

    [Fact]
    public async Task The_end_of_a_series_moves_with_it()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await MakeAsync(laptop, "FREQ=DAILY", "2030-01-07T09:00:00+01:00", "2030-01-07T10:00:00+01:00");
        await laptop.OkAsync("DELETE", $"{Path}/series_20300110T080000Z?scope=following");
        foreach (var hour in new[] { 7, 12 })
        {
            var occurrence = (await ListAsync(laptop, "2030-01-08", "2030-01-09")).Single();
            var change = new { start = $"2030-01-08T{hour:00}:00:00+01:00", end = $"2030-01-08T{hour:00}:30:00+01:00" };
            Assert.Equal(200, (await ChangeAsync(laptop, Text(occurrence, "id") + "?scope=all", change)).Status);
            Assert.Equal(
                new[] { 7, 8, 9 }.Select(day => $"2030-01-0{day}T{hour:00}:00:00+01:00"),
                await StartsAsync(laptop, "2030-01-01", "2030-02-01")
            );
        }
    }

    [Fact]
    public async Task An_all_day_series_repeats_by_date_and_a_rule_can_be_removed()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await laptop.OkAsync(
            "POST",
            Path,
            new
            {
                id = "holiday",
                title = "Holiday",
                start = "2030-01-31T00:00:00Z",
                end = "2030-02-01T00:00:00Z",
                isAllDay = true,
                recurrence = "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20300331",
            }
        );
        Assert.Equal(
            ["2030-01-31T00:00:00+00:00", "2030-02-28T00:00:00+00:00", "2030-03-31T00:00:00+00:00"],
            await StartsAsync(laptop, "2030-01-01", "2030-12-31")
        );
        Assert.Equal(200, (await ChangeAsync(laptop, "holiday_20300228T000000Z?scope=all", new { recurrence = "" })).Status);
        Assert.Equal(["2030-01-31T00:00:00+00:00"], await StartsAsync(laptop, "2030-01-01", "2030-12-31"));
    }

    [Theory]
    [InlineData("FREQ=HOURLY", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=DAILY;BYHOUR=1,2,3", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=DAILY;COUNT=1001", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=DAILY;COUNT=3;UNTIL=20300301T000000Z", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=DAILY;INTERVAL=0", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "Europe/Berlin", "recurrence")]
    [InlineData("daily", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=NEVER", "Europe/Berlin", "recurrence")]
    [InlineData("FREQ=DAILY", "Europe/Atlantis", "timeZone")]
    public async Task Invalid_rules_and_zones_are_refused_with_their_field(string recurrence, string timeZone, string field)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var body = new
        {
            title = "x",
            start = "2030-01-07T09:00:00Z",
            end = "2030-01-07T10:00:00Z",
            recurrence,
            timeZone,
        };
        var (status, problem) = await laptop.SendAsync("POST", Path, body);
        Assert.Equal((400, field), (status, problem.GetProperty("field").GetString()));
    }

    private static Task<JsonElement> MakeAsync(FocusClient client, string recurrence, string start, string end) =>
        client.OkAsync(
            "POST",
            Path,
            new
            {
                id = "series",
                title = "Daily",
                start,
                end,
                recurrence,
                timeZone = "Europe/Berlin",
            }
        );

    private static async Task<(int Status, JsonElement Body)> ChangeAsync(
        FocusClient client,
        string id,
        object body,
        long? version = null
    ) =>
        version is { } expected
            ? await client.SendAsync("PATCH", $"{Path}/{id}", body, ("If-Match", $"\"{expected}\""))
            : await client.SendAsync("PATCH", $"{Path}/{id}", body);

    private static async Task<IReadOnlyList<JsonElement>> ListAsync(FocusClient client, string from, string to)
    {
        static string Time(string text) => text.Contains('T', StringComparison.Ordinal) ? text : text + "T00:00:00Z";
        var page = await client.OkAsync("GET", $"{Path}?from={Time(from)}&to={Time(to)}");
        return [.. page.GetProperty("items").EnumerateArray()];
    }

    private static async Task<IReadOnlyList<string>> StartsAsync(FocusClient client, string from, string to) =>
        [.. (await ListAsync(client, from, to)).Select(each => Text(each, "start"))];

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString()!;

    private static long Version(JsonElement from) => from.GetProperty("version").GetInt64();
}
