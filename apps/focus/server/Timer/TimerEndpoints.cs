using Dunlin.Apps.Focus.Devices;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// <c>/api/timer</c>. Every command names its device by <c>Dunlin-Device</c>, <c>?deviceId=</c> or <c>deviceId</c> in the body.
/// </summary>
internal static class TimerEndpoints
{
    private const int DefaultMinutes = 25;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/timer").WithTags("Focus");
        group.MapGet("", (HttpContext http, TimerService timers) => timers.GetAsync(http.RequireCaller(), http.RequestAborted).AsTask());
        group.MapGet("sessions", (HttpContext http, TimerService timers) => SessionsAsync(http, timers));
        group.MapGet(
            "settings",
            (HttpContext http, LengthsService lengths) => lengths.GetAsync(http.RequireCaller(), http.RequestAborted).AsTask()
        );
        group.MapPut("settings", SetLengthsAsync);
        group.MapPost("start", StartAsync);
        group.MapPost(
            "pause",
            (HttpContext http, TimerService timers, FocusDevices devices) => CommandAsync(http, timers, devices, d => new PauseTimer(d))
        );
        group.MapPost(
            "resume",
            (HttpContext http, TimerService timers, FocusDevices devices) => CommandAsync(http, timers, devices, d => new ResumeTimer(d))
        );
        group.MapPost(
            "skip-break",
            (HttpContext http, TimerService timers, FocusDevices devices) => CommandAsync(http, timers, devices, d => new SkipBreak(d))
        );
        group.MapPost(
            "complete",
            (HttpContext http, TimerService timers, FocusDevices devices) => CommandAsync(http, timers, devices, d => new CompleteTimer(d))
        );
        group.MapPost(
            "cancel",
            (HttpContext http, TimerService timers, FocusDevices devices) => CommandAsync(http, timers, devices, d => new CancelTimer(d))
        );
        group.MapPost("move", MoveAsync);
        group.MapPost("restore", RestoreAsync);
    }

    /// <summary>The last timers, or those of the interval that the query names.</summary>
    private static Task<IReadOnlyList<SessionView>> SessionsAsync(HttpContext http, TimerService timers)
    {
        var caller = http.RequireCaller();
        var query = http.Request.Query;
        if (!query.ContainsKey("from") && !query.ContainsKey("to"))
            return timers.SessionsAsync(caller, http.RequestAborted).AsTask();
        var (from, to) = (TimeText.ParseQuery(query["from"], "from"), TimeText.ParseQuery(query["to"], "to"));
        return timers.SessionsAsync(caller, from, to, http.RequestAborted).AsTask();
    }

    private static async Task<TimerAnswer> StartAsync(HttpContext http, TimerService timers, FocusDevices devices, TimeProvider time)
    {
        var caller = http.RequireCaller();
        var body = await FocusBody.ReadAsync<StartBody>(http);
        var mode = Mode(body.Mode);
        var command = new StartTimer(
            "",
            WireText.IdOrNew(body.TimerId, "timerId"),
            body.TaskId is null ? null : WireText.Id(body.TaskId, "taskId"),
            body.TaskTitle is null ? "Focus" : WireText.Title(body.TaskTitle, "taskTitle"),
            mode,
            Planned(body, mode, time.GetUtcNow())
        );
        return await RunAsync(http, caller, timers, devices, body.DeviceId, deviceId => command with { DeviceId = deviceId });
    }

    private static async Task<TimerAnswer> CommandAsync(
        HttpContext http,
        TimerService timers,
        FocusDevices devices,
        Func<string, TimerCommand> make
    )
    {
        var caller = http.RequireCaller();
        var body = await FocusBody.ReadAsync<CommandBody>(http);
        var timerId = body.TimerId is null ? null : WireText.Id(body.TimerId, "timerId");
        return await RunAsync(http, caller, timers, devices, body.DeviceId, deviceId => make(deviceId) with { TimerId = timerId });
    }

    private static async Task<TimerAnswer> MoveAsync(HttpContext http, TimerService timers, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await FocusBody.ReadAsync<MoveBody>(http);
        var timerId = body.TimerId is null ? null : WireText.Id(body.TimerId, "timerId");
        var target = body.TargetDeviceId is null ? null : DeviceId.Check(body.TargetDeviceId, "targetDeviceId");
        return await RunAsync(
            http,
            caller,
            timers,
            devices,
            body.DeviceId,
            deviceId => new MoveTimer(deviceId, target ?? deviceId) { TimerId = timerId }
        );
    }

    private static async Task<LengthsView> SetLengthsAsync(HttpContext http, LengthsService service, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<LengthsBody>(http, FocusBody.MaxBytes, http.RequestAborted);
        var lengths = new PhaseLengths(body.FocusMinutes, body.BreakMinutes, body.LongBreakMinutes, body.LongBreakEvery).Check();
        var deviceId = await devices.RequireAsync(http, body.DeviceId, http.RequestAborted);
        return await service.SetAsync(caller, deviceId, lengths, CancellationToken.None);
    }

    private static async Task<TimerAnswer> RestoreAsync(HttpContext http, TimerService timers, FocusDevices devices)
    {
        var caller = http.RequireCaller();
        var body = await FocusBody.ReadAsync<CommandBody>(http);
        var timerId = WireText.Id(body.TimerId, "timerId");
        var deviceId = await devices.RequireAsync(http, body.DeviceId, CancellationToken.None);
        return await timers.RestoreAsync(caller, deviceId, timerId, CancellationToken.None);
    }

    // Ignores the request's cancellation: a command completes although the user left the page.
    private static async Task<TimerAnswer> RunAsync(
        HttpContext http,
        Caller caller,
        TimerService timers,
        FocusDevices devices,
        string? named,
        Func<string, TimerCommand> make
    ) => await timers.CommandAsync(caller, make(await devices.RequireAsync(http, named, CancellationToken.None)), CancellationToken.None);

    private static TimerMode Mode(string? text) =>
        text switch
        {
            null or "normal" => TimerMode.Normal,
            "pomodoro" => TimerMode.Pomodoro,
            _ => throw new DunlinException(ErrorCode.InvalidField, "'mode' must be normal or pomodoro.", "mode"),
        };

    private static long Planned(StartBody body, TimerMode mode, DateTimeOffset now)
    {
        if (mode == TimerMode.Pomodoro && (body.PlannedMinutes ?? body.PlannedEndTime as object) is not null)
            throw new DunlinException(
                ErrorCode.InvalidField,
                "A pomodoro has no planned end. Omit 'plannedMinutes' and 'plannedEndTime'.",
                body.PlannedMinutes is null ? "plannedEndTime" : "plannedMinutes"
            );
        if (body is { PlannedMinutes: not null, PlannedEndTime: not null })
            throw new DunlinException(ErrorCode.InvalidField, "Send 'plannedMinutes' or 'plannedEndTime', not both.", "plannedEndTime");
        if (body.PlannedEndTime is { } end)
        {
            var left = (long)(TimeText.Parse(end, "plannedEndTime") - now).TotalMilliseconds;
            return left is > 0 and <= TimerRules.Cap
                ? left
                : throw new DunlinException(ErrorCode.InvalidField, "'plannedEndTime' must be in the next 24 hours.", "plannedEndTime");
        }
        var minutes = body.PlannedMinutes ?? DefaultMinutes;
        return minutes >= 1 && minutes * TimerRules.Minute <= TimerRules.Cap
            ? minutes * TimerRules.Minute
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'plannedMinutes' must be 1 to {TimerRules.Cap / TimerRules.Minute}.",
                "plannedMinutes"
            );
    }

    private sealed record StartBody(
        string? TaskId = null,
        string? TaskTitle = null,
        string? Mode = null,
        int? PlannedMinutes = null,
        string? PlannedEndTime = null,
        string? TimerId = null,
        string? DeviceId = null
    );

    private sealed record CommandBody(string? TimerId = null, string? DeviceId = null);

    private sealed record LengthsBody(
        int FocusMinutes,
        int BreakMinutes,
        int LongBreakMinutes,
        int LongBreakEvery,
        string? DeviceId = null
    );

    private sealed record MoveBody(string? TimerId = null, string? TargetDeviceId = null, string? DeviceId = null);
}
