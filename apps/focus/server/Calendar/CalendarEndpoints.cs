using System.Text;
using Dunlin.Apps.Focus.Devices;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary><c>/api/calendar/events</c>.</summary>
internal static class CalendarEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/calendar/events").WithTags("Focus");
        group.MapGet(
            "",
            (HttpContext http, CalendarService calendar) =>
                calendar
                    .ListAsync(
                        http.RequireCaller(),
                        TimeText.ParseQuery(http.Request.Query["from"], "from"),
                        TimeText.ParseQuery(http.Request.Query["to"], "to"),
                        http.RequestAborted
                    )
                    .AsTask()
        );
        endpoints.MapGet("/api/calendar/export", ExportAsync).WithTags("Focus");
        endpoints.MapPost("/api/calendar/import", ImportAsync).WithTags("Focus");
        group.MapPost("", CreateAsync);
        group.MapPatch("{id}", UpdateAsync);
        group.MapDelete(
            "{id}",
            async (HttpContext http, string id, CalendarService calendar, FocusDevices devices) =>
            {
                var caller = http.RequireCaller();
                await calendar.DeleteAsync(
                    caller,
                    await devices.RequireAsync(http, null, http.RequestAborted),
                    id,
                    Scope(http),
                    IfMatch.Of(http.Request),
                    http.RequestAborted
                );
                return Results.NoContent();
            }
        );
    }

    private static async Task<IResult> ExportAsync(HttpContext http, IcsService files)
    {
        var ics = await files.ExportAsync(http.RequireCaller(), http.RequestAborted);
        http.Response.Headers.CacheControl = "private, no-store";
        return Results.File(Encoding.UTF8.GetBytes(ics), "text/calendar; charset=utf-8", "focus.ics");
    }

    private static async Task<ImportResult> ImportAsync(HttpContext http, IcsService files, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<ImportBody>(http, IcsService.MaxBytes, http.RequestAborted);
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        return await files.ImportAsync(caller, deviceId, body.Ics, body.TimeZone, http.RequestAborted);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, CalendarService calendar, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<CreateBody>(http, FocusBody.MaxBytes, http.RequestAborted);
        var id = body.Id is null ? null : WireText.Id(body.Id, "id");
        var entry = new CalendarEvent(
            "",
            WireText.Title(body.Title, "title"),
            WireText.Notes(body.Notes),
            TimeText.Parse(body.Start, "start"),
            TimeText.Parse(body.End, "end"),
            0
        )
        {
            IsAllDay = body.IsAllDay ?? false,
            Color = EventColors.Check(body.Color),
            TaskId = TaskId(body.TaskId),
            Recurrence = string.IsNullOrEmpty(body.Recurrence) ? null : Recurrence.Check(body.Recurrence),
        };
        entry = WithZone(entry, body.TimeZone);
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        var (created, isNew) = await calendar.CreateAsync(caller, deviceId, id, entry, http.RequestAborted);
        return isNew ? Results.Created($"/api/calendar/events/{created.Id}", created) : Results.Ok(created);
    }

    private static async Task<CalendarEvent> UpdateAsync(HttpContext http, string id, CalendarService calendar, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<UpdateBody>(http, FocusBody.MaxBytes, http.RequestAborted);
        var title = body.Title is null ? null : WireText.Title(body.Title, "title");
        var notes = body.Notes is null ? null : WireText.Notes(body.Notes);
        var start = body.Start is null ? (DateTimeOffset?)null : TimeText.Parse(body.Start, "start");
        var end = body.End is null ? (DateTimeOffset?)null : TimeText.Parse(body.End, "end");
        var color = body.Color is null ? null : EventColors.Check(body.Color);
        var taskId = TaskId(body.TaskId);
        var rule = string.IsNullOrEmpty(body.Recurrence) ? null : Recurrence.Check(body.Recurrence);
        var scope = Scope(http);
        var expected = IfMatch.Of(http.Request);
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        return await calendar.UpdateAsync(
            caller,
            deviceId,
            id,
            scope,
            expected,
            entry =>
                WithZone(
                    entry with
                    {
                        Title = title ?? entry.Title,
                        Notes = notes ?? entry.Notes,
                        Start = start ?? entry.Start,
                        End = end ?? entry.End,
                        IsAllDay = body.IsAllDay ?? entry.IsAllDay,
                        Color = color ?? entry.Color,
                        TaskId = body.TaskId is null ? entry.TaskId : taskId,
                        Recurrence = body.Recurrence is null ? entry.Recurrence : rule,
                    },
                    body.TimeZone
                ),
            CancellationToken.None
        );
    }

    /// <summary>A series repeats by the local time of a zone. Single and all-day entries have none.</summary>
    private static CalendarEvent WithZone(CalendarEvent entry, string? timeZone) =>
        entry with
        {
            TimeZone = entry.Recurrence is null || entry.IsAllDay ? null : Recurrence.CheckZone(timeZone ?? entry.TimeZone ?? "UTC"),
        };

    private static SeriesScope Scope(HttpContext http) =>
        http.Request.Query["scope"].ToString() switch
        {
            "" or "this" => SeriesScope.This,
            "following" => SeriesScope.Following,
            "all" => SeriesScope.All,
            _ => throw new DunlinException(ErrorCode.InvalidField, "'scope' must be this, following or all.", "scope"),
        };

    /// <summary>An empty id stands for no task.</summary>
    private static string? TaskId(string? id) => string.IsNullOrEmpty(id) ? null : WireText.Id(id, "taskId");

    private sealed record ImportBody(string Ics, string? TimeZone = null, string? DeviceId = null);

    private sealed record CreateBody(
        string Title,
        string Start,
        string End,
        string? Id = null,
        string? Notes = null,
        bool? IsAllDay = null,
        string? Color = null,
        string? TaskId = null,
        string? Recurrence = null,
        string? TimeZone = null,
        string? DeviceId = null
    );

    private sealed record UpdateBody(
        string? Title = null,
        string? Start = null,
        string? End = null,
        string? Notes = null,
        bool? IsAllDay = null,
        string? Color = null,
        string? TaskId = null,
        string? Recurrence = null,
        string? TimeZone = null,
        string? DeviceId = null
    );
}
