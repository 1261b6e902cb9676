using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb.Hints;

/// <summary><c>GET stream</c> and <c>GET status</c>. Hints say that something changed and never carry it: a stream of documents
/// would move RxDB's checkpoint over whatever was missed. So whoever connects pulls, and old hints need not be kept.</summary>
internal sealed class HintFeed(EventStreams streams, EventFanout fanout, IOptions<RxDbOptions> options, TimeProvider time)
{
    public Task ServeAsync(HttpContext context) => streams.ServeAsync(context, new StreamRequest([HintTopics.Of(context.RequireCaller().UserId)])
    {
        Format = WireFormats.Named,
        Heartbeat = options.Value.Ping,
        HeartbeatFrame = static now => FrameWriter.Encode(null, frame => Ping(frame, now)),
        OnOpen = (opening, _) =>
        {
            opening.WriteWithPosition(frame => Ping(frame, time.GetUtcNow()));
            return ValueTask.CompletedTask;
        },
    });

    public HintStatus Status(HttpContext context)
    {
        var caller = context.RequireCaller();
        var own = fanout.OfUser(caller.UserId).Count(IsHintStream);
        // How many others are connected is nobody's business but an administrator's.
        return new HintStatus(own > 0, caller.IsAdministrator ? fanout.All().Count(IsHintStream) : own);
    }

    private static void Ping(FrameWriter frame, DateTimeOffset now)
    {
        frame.Name(HintTopics.PingEvent);
        frame.Data($"{{\"timestamp\":\"{now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}\"}}");
    }

    private static bool IsHintStream(Connection connection) => connection.Topics.Any(HintTopics.IsHint);
}

/// <summary>What <c>GET status</c> answers.</summary>
/// <param name="Connected">Whether the caller has a stream open.</param>
/// <param name="TotalConnections">The caller's open streams; those of all to administrators.</param>
internal sealed record HintStatus(
    [property: System.Text.Json.Serialization.JsonPropertyName("connected")] bool Connected,
    [property: System.Text.Json.Serialization.JsonPropertyName("total_connections")] int TotalConnections);
