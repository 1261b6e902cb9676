using Dunlin.Fanout;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache.Pokes;

/// <summary>Serves <c>GET stream</c>: sends <c>data: connected</c> at the start, <c>data: ping</c> when idle, and <c>data: sync</c> for
/// each poke. Clients must pull after they connect, because old pokes are not kept for long.</summary>
internal sealed class PokeFeed(EventStreams streams, IOptions<ReplicacheOptions> options)
{
    private static readonly ReadOnlyMemory<byte> Ping = FrameWriter.Encode(null, static frame => frame.Data("ping"));

    public Task ServeAsync(HttpContext context) =>
        streams.ServeAsync(
            context,
            new StreamRequest([PokeTopics.Of(context.RequireCaller().UserId)])
            {
                Format = PokeTopics.Format,
                Heartbeat = options.Value.Ping,
                HeartbeatFrame = static _ => Ping,
                OnOpen = static (opening, _) =>
                {
                    opening.WriteWithPosition(static frame => frame.Data("connected"));
                    return ValueTask.CompletedTask;
                },
            }
        );
}
