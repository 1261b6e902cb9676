using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Replicache.Pokes;

/// <summary><c>POST poke-user</c> and <c>GET stats</c>. Each user pokes and counts oneself only.</summary>
internal sealed class PokeEndpoints(EventFanout fanout, TimeProvider time)
{
    private static readonly ReadOnlyMemory<byte> Nothing = "{}"u8.ToArray();

    public PokeAnswer Poke(HttpContext context)
    {
        var caller = context.RequireCaller();
        var notified = CountOf(caller.UserId);
        fanout.PublishTransient(new EventDraft(PokeTopics.Of(caller.UserId), PokeTopics.EventType, Nothing, caller.AsOrigin()));
        return new PokeAnswer(true, caller.UserId, notified, "User-specific sync triggered", Now);
    }

    public PokeStats Stats(HttpContext context)
    {
        var caller = context.RequireCaller();
        var own = CountOf(caller.UserId);
        // How many others are connected is nobody's business but an administrator's: anyone else is told the own number.
        var total = caller.IsAdministrator ? fanout.All().Count(IsPokeStream) : own;
        return new PokeStats(caller.UserId, own, total, Now);
    }

    // Milliseconds and Z, as Date.toISOString() writes it.
    private string Now => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private int CountOf(string userId) => fanout.OfUser(userId).Count(IsPokeStream);

    private static bool IsPokeStream(Connection connection) => connection.Topics.Any(PokeTopics.IsPoke);
}

/// <summary>What <c>POST poke-user</c> answers.</summary>
internal sealed record PokeAnswer(bool Success, string UserId, int ClientsNotified, string Message, string Timestamp);

/// <summary>What <c>GET stats</c> answers.</summary>
/// <param name="UserId">The caller.</param>
/// <param name="UserConnections">Open streams of the caller.</param>
/// <param name="TotalConnections">Open streams of all, to administrators; to others their own again.</param>
/// <param name="Timestamp">When it was counted.</param>
internal sealed record PokeStats(string UserId, int UserConnections, int TotalConnections, string Timestamp);
