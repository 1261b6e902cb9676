using System.Text.Json.Serialization;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache.Pokes;

/// <summary>Serves <c>POST poke-user</c> and <c>GET stats</c>. A user can poke and count only their own streams. Thread-safe.</summary>
internal sealed class PokeEndpoints(EventFanout fanout, [FromKeyedServices(PokeTopics.CountName)] StreamCounts counts, TimeProvider time)
{
    private static readonly ReadOnlyMemory<byte> Nothing = "{}"u8.ToArray();

    public async Task<PokeAnswer> PokeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        fanout.PublishTransient(new EventDraft(PokeTopics.Of(caller.UserId), PokeTopics.EventType, Nothing, caller.AsOrigin()));
        var count = await counts.OfAsync(caller.UserId, context.RequestAborted);
        return new PokeAnswer(true, caller.UserId, count.Value.OfUser, "User-specific sync triggered", Now, count.UnresponsiveNodes);
    }

    public async Task<PokeStats> StatsAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var count = await counts.OfAsync(caller.UserId, context.RequestAborted);
        // Only administrators receive the number of all connections. Other users receive their own number.
        var total = caller.IsAdministrator ? count.Value.InAll : count.Value.OfUser;
        return new PokeStats(caller.UserId, count.Value.OfUser, total, Now, count.UnresponsiveNodes);
    }

    // The format of Date.toISOString(): milliseconds and Z.
    private string Now =>
        time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>The response of <c>POST poke-user</c>. <c>silentNodes</c>, here and below, is the number of nodes that have not responded,
/// whose streams are not counted. It is omitted if all have responded.</summary>
internal sealed record PokeAnswer(
    bool Success,
    string UserId,
    int ClientsNotified,
    string Message,
    string Timestamp,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);

/// <summary>The response of <c>GET stats</c>.</summary>
/// <param name="UserId">The caller.</param>
/// <param name="UserConnections">The number of open streams of the caller.</param>
/// <param name="TotalConnections">The number of all open streams for administrators, and that of the caller for other users.</param>
/// <param name="Timestamp">The time of the count.</param>
/// <param name="UnresponsiveNodes">See <see cref="PokeAnswer"/>.</param>
internal sealed record PokeStats(
    string UserId,
    int UserConnections,
    int TotalConnections,
    string Timestamp,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);
