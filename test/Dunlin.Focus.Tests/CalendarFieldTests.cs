namespace Dunlin.Focus.Tests;

public sealed class CalendarFieldTests
{
    private const string Path = "/api/calendar/events";

    [Fact]
    public async Task All_day_events_colours_and_tasks_are_stored_and_changed()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("phone");
        using var laptop = host.Client();
        var made = await laptop.OkAsync(
            "POST",
            Path,
            new
            {
                title = "Holiday",
                start = "2030-01-02T00:00:00Z",
                end = "2030-01-04T00:00:00Z",
                isAllDay = true,
                color = "green",
                taskId = "a-task",
            }
        );
        Assert.Equal(made.GetRawText(), (await stream.UntilAsync("calendar:event_created")).Payload.GetProperty("event").GetRawText());
        await host.RestartAsync();
        var page = await laptop.OkAsync("GET", Path + "?from=2030-01-03T00:00:00Z&to=2030-01-03T12:00:00Z");
        Assert.Equal(made.GetRawText(), Assert.Single(page.GetProperty("items").EnumerateArray()).GetRawText());
        var id = made.GetProperty("id").GetString();
        var changed = await laptop.OkAsync(
            "PATCH",
            $"{Path}/{id}",
            new
            {
                isAllDay = false,
                color = "",
                taskId = "",
                start = "2030-01-02T09:00:00+01:00",
                end = "2030-01-02T10:00:00+01:00",
            }
        );
        Assert.Equal(
            (false, "", System.Text.Json.JsonValueKind.Null),
            (
                changed.GetProperty("isAllDay").GetBoolean(),
                changed.GetProperty("color").GetString(),
                changed.GetProperty("taskId").ValueKind
            )
        );
    }

    [Theory]
    [InlineData("2030-01-02T09:00:00Z", "2030-01-03T00:00:00Z", true, "", "start")]
    [InlineData("2030-01-02T00:00:00Z", "2030-01-03T00:00:00+01:00", true, "", "end")]
    [InlineData("2030-01-02T00:00:00Z", "2030-01-02T00:00:00Z", true, "", "end")]
    [InlineData("2030-01-02T00:00:00Z", "2030-01-03T00:00:00Z", true, "pink", "color")]
    public async Task Invalid_dates_and_colours_are_refused_with_their_field(
        string start,
        string end,
        bool isAllDay,
        string color,
        string field
    )
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var body = new
        {
            title = "x",
            start,
            end,
            isAllDay,
            color,
        };
        var (status, problem) = await laptop.SendAsync("POST", Path, body);
        Assert.Equal((400, field), (status, problem.GetProperty("field").GetString()));
    }
}
