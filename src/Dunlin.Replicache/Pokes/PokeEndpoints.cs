using System.Text.Json.Serialization;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache.Pokes;

/// <summary><c>POST poke-user</c> and <c>GET stats</c>. Each user pokes and counts oneself only.</summary>
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
        // How many others are connected is nobody's business but an administrator's: anyone else is told the own number.
        var total = caller.IsAdministrator ? count.Value.InAll : count.Value.OfUser;
        return new PokeStats(caller.UserId, count.Value.OfUser, total, Now, count.UnresponsiveNodes);
    }

    // Milliseconds and Z, as Date.toISOString() writes it.
    private string Now =>
        time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What <c>POST poke-user</c> answers. Silent nodes, here and below: those that have not answered, whose streams are missing;
/// left out where all have.</summary>
internal sealed record PokeAnswer(
    bool Success,
    string UserId,
    int ClientsNotified,
    string Message,
    string Timestamp,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);

/// <summary>What <c>GET stats</c> answers.</summary>
/// <param name="UserId">The caller.</param>
/// <param name="UserConnections">Open streams of the caller.</param>
/// <param name="TotalConnections">Open streams of all, to administrators; to others their own again.</param>
/// <param name="Timestamp">When it was counted.</param>
/// <param name="UnresponsiveNodes">See <see cref="PokeAnswer"/>.</param>
internal sealed record PokeStats(
    string UserId,
    int UserConnections,
    int TotalConnections,
    string Timestamp,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);
