using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/events?topic=a&amp;topic=b</c>: the engine's own stream, in named events. A topic may be a pattern.</summary>
/// <remarks><c>POST /dunlin/v1/events/subscribe</c> takes the same parameters in a form as well: an address cannot hold all that a
/// stream may ask for, because servers and proxies refuse a request line of more than 8 KiB or so.</remarks>
internal static class EventStreamEndpoint
{
    /// <summary>Bytes of one topic in a form: its name and the longest form of each of its characters, which is <c>%XX</c>.</summary>
    private const int TopicBytes = (3 * TopicName.MaxLength) + 7;

    /// <summary>Bytes of a form beside its topics.</summary>
    private const int FormBytes = 4 * 1024;

    public static Task ServeAsync(HttpContext context, EventStreams streams, IOptions<EventStreamOptions> options) =>
        ServeAsync(context, name => context.Request.Query[name], streams, options);

    /// <summary>
    /// The body is read to its end before the stream opens: what the client still sent would be in the way of the response.
    /// </summary>
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
                OnOpen = (opening, _) =>
                {
                    var caller = opening.Connection.Caller;
                    opening.WriteWithPosition(frame =>
                    {
                        frame.Control("hello");
                        frame.Json(
                            new
                            {
                                connectionId = opening.Connection.Id,
                                position = opening.Position.ToString(),
                                heartbeatSeconds = options.Value.Heartbeat.TotalSeconds,
                                user = new { id = caller.UserId, name = caller.Name },
                            }
                        );
                    });
                    return ValueTask.CompletedTask;
                },
            }
        );
    }

    // echo: own events come back by default, because the stream may serve several tabs of a browser, and one's own write is
    // news to the others; echo=false leaves out what this connection caused. presence=true shows the caller to others.
    // conflate=true is for states, of which the newest says everything.
    private static bool Flag(Func<string, StringValues> parameters, string name, bool fallback) =>
        (string?)parameters(name) switch
        {
            null => fallback,
            "true" => true,
            "false" => false,
            _ => throw new DunlinException(ErrorCode.InvalidField, $"'{name}' must be true or false.", name),
        };
}
