using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/events?topic=a&amp;topic=b</c>: the engine's own stream, in named events.</summary>
internal static class EventStreamEndpoint
{
    public static Task ServeAsync(HttpContext context, EventStreams streams, IOptions<StreamOptions> options)
    {
        // Repeated names are one subscription: an event is delivered once.
        TopicName[] topics = [.. context.Request.Query["topic"].Select(TopicName.Parse).Distinct()];
        return streams.ServeAsync(context, new StreamRequest(topics)
        {
            Exclusion = Fanout.OriginExclusion.Connection,
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
}
