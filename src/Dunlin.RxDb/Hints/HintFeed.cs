using System.Globalization;
using System.Text.Json.Serialization;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb.Hints;

/// <summary>Serves <c>GET stream</c> and <c>GET status</c>. Thread-safe.</summary>
/// <remarks>A hint only says that a document has changed, and never carries the document: a stream of documents would advance RxDB's
/// checkpoint past missed changes. Clients pull after they connect, so old hints need not be kept.</remarks>
internal sealed class HintFeed(
    EventStreams streams,
    [FromKeyedServices(HintTopics.CountName)] StreamCounts counts,
    IOptions<RxDbOptions> options,
    TimeProvider time
)
{
    public Task ServeAsync(HttpContext context) =>
        streams.ServeAsync(
            context,
            new StreamRequest([HintTopics.Of(context.RequireCaller().UserId)])
            {
                Format = WireFormats.Named,
                Heartbeat = options.Value.Ping,
                HeartbeatFrame = static now => FrameWriter.Encode(null, frame => Ping(frame, now)),
                OnOpen = (opening, _) =>
                {
                    opening.WriteWithPosition(frame => Ping(frame, time.GetUtcNow()));
                    return ValueTask.CompletedTask;
                },
            }
        );

    public async Task<HintStatus> StatusAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var count = await counts.OfAsync(caller.UserId, context.RequestAborted);
        // Only administrators receive the number of all connections.
        return new HintStatus(
            count.Value.OfUser > 0,
            caller.IsAdministrator ? count.Value.InAll : count.Value.OfUser,
            count.UnresponsiveNodes
        );
    }

    private static void Ping(FrameWriter frame, DateTimeOffset now)
    {
        frame.Name(HintTopics.PingEvent);
        frame.Data($"{{\"timestamp\":\"{now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}\"}}");
    }
}

/// <summary>The response of <c>GET status</c>.</summary>
/// <param name="Connected">Whether the caller has an open stream on any node.</param>
/// <param name="TotalConnections">The number of the caller's open streams, or of all open streams for administrators.</param>
/// <param name="UnresponsiveNodes">The number of nodes that have not responded, whose streams are not counted. Omitted if all have
/// responded.</param>
internal sealed record HintStatus(
    [property: JsonPropertyName("connected")] bool Connected,
    [property: JsonPropertyName("total_connections")] int TotalConnections,
    [property: JsonPropertyName("silent_nodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);
