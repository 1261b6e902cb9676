using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Streams;

/// <summary>Serves <c>GET /dunlin/v1/events?topic=a&amp;topic=b</c>: the engine's own stream of named events. A topic may be a
/// pattern.</summary>
/// <remarks><c>POST /dunlin/v1/events/subscribe</c> accepts the same parameters in a form too. Servers and proxies refuse request lines of
/// more than about 8 KiB, and the parameters may be longer.</remarks>
internal static class EventStreamEndpoint
{
    /// <summary>The maximum size in bytes of a topic in a form: its parameter name, and <c>%XX</c> for each character.</summary>
    private const int TopicBytes = (3 * TopicName.MaxLength) + 7;

    /// <summary>The maximum size in bytes of the other form fields.</summary>
    private const int FormBytes = 4 * 1024;

    public static Task ServeAsync(HttpContext context, EventStreams streams, IOptions<EventStreamOptions> options) =>
        ServeAsync(context, name => context.Request.Query[name], streams, options);

    /// <summary>Reads the form to its end before the stream opens: an unread body would delay or break the response.</summary>
    public static async Task SubscribeAsync(HttpContext context, EventStreams streams, IOptions<EventStreamOptions> options)
    {
        context.RequireCaller();
        var form = await RequestBytes.ReadFormAsync(context, FormBytes + (options.Value.MaxTopics * TopicBytes), context.RequestAborted);
        await ServeAsync(
            context,
            name => StringValues.Concat(context.Request.Query[name], form.TryGetValue(name, out var values) ? values : default),
            streams,
            options
        );
    }

    private static Task ServeAsync(
        HttpContext context,
        Func<string, StringValues> parameters,
        EventStreams streams,
        IOptions<EventStreamOptions> options
    )
    {
        var asked = AskedTopics.Of(parameters("topic"));
        return streams.ServeAsync(
            context,
            new StreamRequest(asked.Topics)
            {
                Patterns = asked.Patterns,
                Exclusion = Flag(parameters, "echo", true) ? OriginExclusion.None : OriginExclusion.Connection,
                Conflates = Flag(parameters, "conflate", false),
                IsPresent = Flag(parameters, "presence", false),
                LastEventId = parameters("lastEventId"),
                Wait = parameters("wait"),
                OnOpen = (opening, _) =>
                {
                    var caller = opening.Connection.Caller;
                    opening.WriteWithPosition(frame =>
                    {
                        frame.Control("hello");
                        frame.Json(
                            (opening, caller, heartbeat: options.Value.Heartbeat),
                            static (json, hello) =>
                            {
                                json.WriteStartObject();
                                json.WriteString("connectionId"u8, hello.opening.Connection.Id);
                                json.WriteString("position"u8, hello.opening.Position.ToString());
                                json.WriteNumber("heartbeatSeconds"u8, hello.heartbeat.TotalSeconds);
                                json.WriteStartObject("user"u8);
                                json.WriteString("id"u8, hello.caller.UserId);
                                json.WriteString("name"u8, hello.caller.Name);
                                json.WriteEndObject();
                                json.WriteEndObject();
                            }
                        );
                    });
                    return ValueTask.CompletedTask;
                },
            }
        );
    }

    // echo: own events are delivered by default, because one stream may serve several tabs, and the write of one tab is new to the others.
    // echo=false excludes events that this connection caused.
    // presence=true shows the caller to others as present.
    // conflate=true is for events that carry a whole state, where the newest event supersedes older ones.
    private static bool Flag(Func<string, StringValues> parameters, string name, bool fallback) =>
        (string?)parameters(name) switch
        {
            null => fallback,
            "true" => true,
            "false" => false,
            _ => throw new DunlinException(ErrorCode.InvalidField, $"'{name}' must be true or false.", name),
        };
}
