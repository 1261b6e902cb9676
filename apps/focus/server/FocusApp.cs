using Dunlin.Apps.Focus.Calendar;
using Dunlin.Apps.Focus.Devices;
using Dunlin.Apps.Focus.Tasks;
using Dunlin.Apps.Focus.Timer;
using Dunlin.Devices;
using Dunlin.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Focus;

/// <summary>Registers Focus: a timer, a calendar and tasks of one user on many devices.</summary>
public static class FocusApp
{
    /// <summary>Adds tables, channels, services and the timer schedule.</summary>
    public static DunlinBuilder AddFocus(this DunlinBuilder builder)
    {
        builder.AddSchema("focus", typeof(FocusApp).Assembly, "Dunlin.Apps.Focus.Schema.");
        builder.AddChannel("timer", "started", "stopped", "updated", "moved");
        builder.AddChannel("calendar", "event_created", "event_updated", "event_deleted");
        builder.AddChannel("tasks", "created", "updated", "deleted");
        builder.AddChannel("devices", "updated");
        builder.AddChannel("settings", "updated");
        builder.Services.AddSingleton<FocusDevices>();
        builder.Services.AddSingleton<TimerSchedule>();
        builder.Services.AddSingleton<TimerService>();
        builder.Services.AddSingleton<LengthsService>();
        builder.Services.AddSingleton<TaskService>();
        builder.Services.AddSingleton<SeriesService>();
        builder.Services.AddSingleton<IcsService>();
        builder.Services.AddSingleton<CalendarService>();
        builder.Services.AddHostedService<TimerKeeper>();
        return builder;
    }

    /// <summary>Maps <c>/api/sse</c>, <c>/api/timer</c>, <c>/api/calendar</c>, <c>/api/tasks</c> and <c>/api/devices</c>.</summary>
    public static void MapFocus(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapDeviceStream(
            "/api/sse",
            static (http, deviceId, ct) => http.RequestServices.GetRequiredService<FocusDevices>().NoteAsync(http, deviceId, ct)
        );
        TimerEndpoints.Map(endpoints);
        CalendarEndpoints.Map(endpoints);
        TaskEndpoints.Map(endpoints);
        DeviceEndpoints.Map(endpoints);
    }
}
