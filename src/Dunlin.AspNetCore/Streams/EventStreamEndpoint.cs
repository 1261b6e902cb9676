using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/events?topic=a&amp;topic=b</c>: the engine's own stream, in named events. A topic may be a pattern.</summary>
internal static class EventStreamEndpoint
{
    public static Task ServeAsync(HttpContext context, EventStreams streams, IOptions<StreamOptions> options)
    {
        var asked = AskedTopics.Of(context.Request);
        return streams.ServeAsync(context, new StreamRequest(asked.Topics)
        {
            Patterns = asked.Patterns,
            Exclusion = Flag(context.Request, "echo", true) ? OriginExclusion.None : OriginExclusion.Connection,
            Conflates = Flag(context.Request, "conflate", false),
            IsPresent = Flag(context.Request, "presence", false),
            OnOpen = (opening, _) =>
            {
                var caller = opening.Connection.Caller;
                opening.WriteWithPosition(frame =>
                {
                    frame.Name("dunlin.hello");
                    frame.Json(new
                    {
                        connectionId = opening.Connection.Id,
                        position = opening.Position.ToString(),
                        heartbeatSeconds = options.Value.Heartbeat.TotalSeconds,
                        user = new { id = caller.UserId, name = caller.Name },
                    });
                });
                return ValueTask.CompletedTask;
            },
        });
    }

    // echo: own events come back by default, because the stream may serve several tabs of a browser, and one's own write is
    // news to the others; echo=false leaves out what this connection caused. presence=true shows the caller to others.
    // conflate=true is for states, of which the newest says everything.
    private static bool Flag(HttpRequest request, string name, bool fallback) => (string?)request.Query[name] switch
    {
        null => fallback,
        "true" => true,
        "false" => false,
        _ => throw new DunlinException(ErrorCode.InvalidField, $"'{name}' is true or false.", name),
    };
}
