using System.Text.Json;
using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Streams;

/// <summary><c>GET /dunlin/v1/stats</c>: one's own connections; totals for administrators only. Where nodes share a store, of all of them.</summary>
internal sealed class StatsEndpoint
{
    private readonly EventFanout _fanout;
    private readonly NodeQuestions? _questions;

    public StatsEndpoint(EventFanout fanout, NodeQuestions? questions = null)
    {
        _fanout = fanout;
        _questions = questions;
        questions?.Answer("stats", question => question.GetString() is { } userId ? new NodeStats(Own(userId), fanout.ConnectionCount) : null);
    }

    public async Task<StatsAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var (own, total) = await CountAsync(caller.UserId);
        return new StatsAnswer(caller.UserId, own, caller.IsAdministrator ? total : null, caller.IsAdministrator ? _fanout.Reached.ToString() : null);
    }

    /// <summary>The open streams of a user, and the number of everybody's, on all nodes.</summary>
    public async Task<(List<ConnectionView> Connections, int Total)> CountAsync(string userId)
    {
        var (own, total) = (Own(userId), _fanout.ConnectionCount);
        foreach (var answer in _questions is null ? [] : await _questions.AskAsync("stats", userId))
        {
            if (JsonSerializer.Deserialize<NodeStats>(answer, JsonSerializerOptions.Web) is not { } other)
                continue;
            own.AddRange(other.Connections);
            total += other.Total;
        }
        return (own, total);
    }

    private List<ConnectionView> Own(string userId) =>
        [.. _fanout.OfUser(userId).Select(c => new ConnectionView(c.Id, [.. c.Topics.Select(t => t.Value)], c.Caller.DeviceId, c.OpenedAt))];

    private sealed record NodeStats(List<ConnectionView> Connections, int Total);
}

internal sealed record StatsAnswer(string UserId, IReadOnlyList<ConnectionView> Connections, int? TotalConnections, string? Position);

internal sealed record ConnectionView(string ConnectionId, IReadOnlyList<string> Topics, string? Device, DateTimeOffset OpenedAt);
