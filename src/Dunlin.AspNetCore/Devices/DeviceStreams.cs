using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Devices;

/// <summary>
/// The stream of one device of the signed-in user: <c>GET pattern?deviceId=</c>. Opening it registers the device, its end
/// unregisters it; several streams of one device are several registrations, and none ends another. Envelope frames; the
/// first is <c>{channel: "system", type: "connected", payload: {deviceId, connectionId}}</c>; a comment every 30 s of silence.
/// </summary>
/// <remarks>
/// Nothing is left out for being one's own: the tabs of a browser are one device and, with <c>@dunlin/client</c>, share one
/// stream, so leaving out either the device or the connection would hide an event from the sibling tabs. The tab that acted knows its
/// own event by the version in it. <c>UserDevices.BroadcastAsync(..., exceptDevice)</c> leaves out a device where that is wanted.
/// </remarks>
public static class DeviceStreams
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(30);

    /// <summary>Maps <c>GET pattern?deviceId=</c>.</summary>
    /// <param name="endpoints">Where.</param>
    /// <param name="pattern">For example <c>/api/sse</c>.</param>
    /// <param name="onConnect">Called before anything is sent, to refuse a device by throwing or to note that it was seen.</param>
    public static IEndpointConventionBuilder MapDeviceStream(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        Func<HttpContext, string, CancellationToken, ValueTask>? onConnect = null
    ) => endpoints.MapEventStream(pattern, context => ServeAsync(context, onConnect));

    private static async Task ServeAsync(HttpContext context, Func<HttpContext, string, CancellationToken, ValueTask>? onConnect)
    {
        var caller = context.RequireCaller();
        var deviceId =
            caller.DeviceId
            ?? throw new DunlinException(
                ErrorCode.InvalidField,
                "'deviceId' is missing. Send it in the query or in the header Dunlin-Device.",
                "deviceId"
            );
        // HEAD opens no stream, so no device has connected.
        if (onConnect is not null && !HttpMethods.IsHead(context.Request.Method))
            await onConnect(context, deviceId, context.RequestAborted);
        var streams = context.RequestServices.GetRequiredService<EventStreams>();
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        await streams.ServeAsync(
            context,
            new StreamRequest([UserDevices.TopicOf(caller.UserId), UserDevices.TopicOf(caller.UserId, deviceId)])
            {
                Format = new DeviceFormat(deviceId),
                Exclusion = OriginExclusion.None,
                Heartbeat = HeartbeatInterval,
                OnOpen = (opening, _) =>
                {
                    opening.WriteWithPosition(frame =>
                        frame.Json(
                            new
                            {
                                channel = "system",
                                type = "connected",
                                payload = new { deviceId, connectionId = opening.Connection.Id },
                                sourceDeviceId = (string?)null,
                                timestamp = time.GetUtcNow(),
                            }
                        )
                    );
                    return ValueTask.CompletedTask;
                },
            }
        );
    }
}
