using Dunlin.Apps.Focus.Devices;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Focus.Tasks;

/// <summary><c>/api/tasks</c>.</summary>
internal static class TaskEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/tasks").WithTags("Focus");
        group.MapGet("", (HttpContext http, TaskService tasks) => tasks.ListAsync(http.RequireCaller(), http.RequestAborted).AsTask());
        group.MapPost("", CreateAsync);
        group.MapPatch("{id}", UpdateAsync);
        group.MapDelete(
            "{id}",
            async (HttpContext http, string id, TaskService tasks, FocusDevices devices) =>
            {
                var caller = http.RequireCaller();
                await tasks.DeleteAsync(
                    caller,
                    await devices.RequireAsync(http, null, http.RequestAborted),
                    id,
                    IfMatch.Of(http.Request),
                    http.RequestAborted
                );
                return Results.NoContent();
            }
        );
    }

    private static async Task<IResult> CreateAsync(HttpContext http, TaskService tasks, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<CreateBody>(http, FocusBody.MaxBytes, http.RequestAborted);
        var id = body.Id is null ? null : WireText.Id(body.Id, "id");
        var (title, notes) = (WireText.Title(body.Title, "title"), WireText.Notes(body.Notes));
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        var (task, isNew) = await tasks.CreateAsync(caller, deviceId, id, title, notes, http.RequestAborted);
        return isNew ? Results.Created($"/api/tasks/{task.Id}", task) : Results.Ok(task);
    }

    private static async Task<FocusTask> UpdateAsync(HttpContext http, string id, TaskService tasks, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<UpdateBody>(http, FocusBody.MaxBytes, http.RequestAborted);
        var title = body.Title is null ? null : WireText.Title(body.Title, "title");
        var notes = body.Notes is null ? null : WireText.Notes(body.Notes);
        var expected = IfMatch.Of(http.Request);
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        return await tasks.UpdateAsync(
            caller,
            deviceId,
            id,
            expected,
            task => task with { Title = title ?? task.Title, Notes = notes ?? task.Notes, IsDone = body.IsDone ?? task.IsDone },
            CancellationToken.None
        );
    }

    private sealed record CreateBody(string Title, string? Id = null, string? Notes = null, string? DeviceId = null);

    private sealed record UpdateBody(string? Title = null, string? Notes = null, bool? IsDone = null, string? DeviceId = null);
}
