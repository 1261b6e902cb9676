using System.Reflection;
using System.Text.Json.Serialization;
using Dunlin.Cluster;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Streams;

/// <summary>Serves <c>GET /dunlin/v1/stats</c>: the caller's own connections, and totals for administrators. If nodes share a store, the
/// counts are cluster-wide. Thread-safe.</summary>
internal sealed class StatsEndpoint : IHostedService
{
    // Without the revision of the source.
    private static readonly string? Version = typeof(EventFanout)
        .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0];

    private readonly EventFanout _fanout;
    private readonly ClusterQuery _questions;

    public StatsEndpoint(EventFanout fanout, ClusterQuery questions)
    {
        _fanout = fanout;
        _questions = questions;
    }

    /// <summary>Registers the handler that answers other nodes.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _questions.Answer(
            "stats",
            userId => new NodeStats(Own(userId), _fanout.ConnectionCount),
            HttpJson.Default.String,
            HttpJson.Default.NodeStats
        );
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<StatsAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var (own, total, silent) = await CountAsync(caller.UserId, context.RequestAborted);
        return new StatsAnswer(
            caller.UserId,
            own,
            caller.IsAdministrator ? total : null,
            caller.IsAdministrator ? _fanout.DeliveredHead.ToString() : null,
            // Others could look up its known faults.
            caller.IsAdministrator
                ? Version
                : null,
            silent
        );
    }

    /// <summary>Returns the open streams of a user and the number of all streams, of all nodes that have responded.</summary>
    public async Task<(List<ConnectionView> Connections, int Total, int UnresponsiveNodes)> CountAsync(
        string userId,
        CancellationToken cancellationToken
    )
    {
        var (own, total) = (Own(userId), _fanout.ConnectionCount);
        var others = await _questions.AskAsync(
            "stats",
            userId,
            HttpJson.Default.String,
            HttpJson.Default.NodeStats,
            cancellationToken: cancellationToken
        );
        foreach (var other in others.Value)
        {
            own.AddRange(other.Connections);
            total += other.Total;
        }
        return (own, total, others.UnresponsiveNodes);
    }

    private List<ConnectionView> Own(string userId) =>
        [
            .. _fanout
                .OfUser(userId)
                .Select(c => new ConnectionView(
                    c.Id,
                    [.. c.Topics.Select(t => t.Value), .. c.Patterns.Select(p => p.Text)],
                    c.Caller.DeviceId,
                    c.OpenedAt
                )),
        ];

    internal sealed record NodeStats(List<ConnectionView> Connections, int Total);
}

internal sealed record StatsAnswer(
    string UserId,
    IReadOnlyList<ConnectionView> Connections,
    int? TotalConnections,
    string? Position,
    string? Version,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);

internal sealed record ConnectionView(string ConnectionId, IReadOnlyList<string> Topics, string? Device, DateTimeOffset OpenedAt);
