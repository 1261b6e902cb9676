using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Devices;

/// <summary>Maps the event stream of one device of the signed-in user: <c>GET pattern?deviceId=</c>.</summary>
/// <remarks>
/// Opening a stream registers the device, and closing it unregisters the device. Each of several streams of one device has its own
/// registration. Frames have the envelope format, and the first one is <c>{channel: "system", type: "connected", payload: {deviceId,
/// connectionId}}</c>. An idle stream carries a comment every 30 s.
/// <para>
/// A device also receives its own events. The tabs of a browser are one device and, with <c>@dunlin/client</c>, share one stream. Excluding
/// the device or the connection would hide an event from the sibling tabs. The tab that acted recognises its own event by the version in
/// it. To exclude a device, call <c>UserDevices.BroadcastAsync(..., exceptDevice)</c>.
/// </para>
/// </remarks>
public static class DeviceStreams
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(30);

    /// <summary>Maps <c>GET pattern?deviceId=</c>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern, for example <c>/api/sse</c>.</param>
    /// <param name="onConnect">Runs before the first byte is sent. It receives the request and the device id, and refuses the device by
    /// throwing an exception.</param>
    /// <returns>A builder for further conventions of the endpoint.</returns>
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
        // A HEAD request opens no stream, so it is no connection of the device.
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
                            (deviceId, connectionId: opening.Connection.Id, now: time.GetUtcNow()),
                            static (json, opened) =>
                            {
                                json.WriteStartObject();
                                json.WriteString("channel"u8, "system"u8);
                                json.WriteString("type"u8, "connected"u8);
                                json.WriteStartObject("payload"u8);
                                json.WriteString("deviceId"u8, opened.deviceId);
                                json.WriteString("connectionId"u8, opened.connectionId);
                                json.WriteEndObject();
                                json.WriteNull("sourceDeviceId"u8);
                                json.WriteString("timestamp"u8, opened.now);
                                json.WriteEndObject();
                            }
                        )
                    );
                    return ValueTask.CompletedTask;
                },
            }
        );
    }
}
