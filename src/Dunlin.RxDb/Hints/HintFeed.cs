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

/// <summary><c>GET stream</c> and <c>GET status</c>. Hints say that something changed and never carry it: a stream of documents
/// would move RxDB's checkpoint over whatever was missed. So whoever connects pulls, and old hints need not be kept.</summary>
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
        // How many others are connected is nobody's business but an administrator's.
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

/// <summary>What <c>GET status</c> answers.</summary>
/// <param name="Connected">Whether the caller has a stream open, at whatever node.</param>
/// <param name="TotalConnections">The caller's open streams; those of all to administrators.</param>
/// <param name="UnresponsiveNodes">Nodes that have not answered, whose streams are missing; left out where all have.</param>
internal sealed record HintStatus(
    [property: JsonPropertyName("connected")] bool Connected,
    [property: JsonPropertyName("total_connections")] int TotalConnections,
    [property: JsonPropertyName("silent_nodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);
