using Dunlin.Fanout;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/stats</c>: one's own connections; totals for administrators only.</summary>
internal sealed class StatsEndpoint(EventFanout fanout)
{
    public StatsAnswer Serve(HttpContext context)
    {
        var caller = context.RequireCaller();
        var own = fanout.OfUser(caller.UserId)
            .Select(c => new ConnectionView(c.Id, [.. c.Topics.Select(t => t.Value)], c.Caller.DeviceId, c.OpenedAt))
            .ToList();
        return new StatsAnswer(caller.UserId, own, caller.IsAdministrator ? fanout.ConnectionCount : null, caller.IsAdministrator ? fanout.Reached.ToString() : null);
    }
}

internal sealed record StatsAnswer(string UserId, IReadOnlyList<ConnectionView> Connections, int? TotalConnections, string? Position);

internal sealed record ConnectionView(string ConnectionId, IReadOnlyList<string> Topics, string? Device, DateTimeOffset OpenedAt);
