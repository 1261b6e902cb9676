using System.Text.Json.Serialization;
using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/stats</c>: one's own connections; totals for administrators only. Where nodes share a store, of all of them.</summary>
internal sealed class StatsEndpoint
{
    private readonly EventFanout _fanout;
    private readonly NodeQuestions _questions;

    public StatsEndpoint(EventFanout fanout, NodeQuestions questions)
    {
        _fanout = fanout;
        _questions = questions;
        questions.Answer<string, NodeStats>("stats", userId => new NodeStats(Own(userId), fanout.ConnectionCount));
    }

    public async Task<StatsAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var (own, total) = (Own(caller.UserId), _fanout.ConnectionCount);
        var others = await _questions.AskAsync<string, NodeStats>("stats", caller.UserId, cancellationToken: context.RequestAborted);
        foreach (var other in others.Value)
        {
            own.AddRange(other.Connections);
            total += other.Total;
        }
        return new StatsAnswer(
            caller.UserId, own, caller.IsAdministrator ? total : null, caller.IsAdministrator ? _fanout.Reached.ToString() : null, others.SilentNodes);
    }

    private List<ConnectionView> Own(string userId) =>
        [.. _fanout.OfUser(userId).Select(c => new ConnectionView(c.Id, [.. c.Topics.Select(t => t.Value)], c.Caller.DeviceId, c.OpenedAt))];

    private sealed record NodeStats(List<ConnectionView> Connections, int Total);
}

internal sealed record StatsAnswer(
    string UserId, IReadOnlyList<ConnectionView> Connections, int? TotalConnections, string? Position,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int SilentNodes);

internal sealed record ConnectionView(string ConnectionId, IReadOnlyList<string> Topics, string? Device, DateTimeOffset OpenedAt);
