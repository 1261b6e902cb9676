using Dunlin.Fanout;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Cluster;

/// <summary>Counts the open streams of one kind on all nodes. Thread-safe.</summary>
/// <remarks>Create one instance per kind, and call <see cref="Start"/> before the node takes requests. As a hosted service, it starts with
/// the host.</remarks>
internal sealed class StreamCounts : IHostedService
{
    private readonly string _kind;
    private readonly Func<EventStreamConnection, bool> _isCounted;
    private readonly EventFanout _fanout;
    private readonly ClusterQuery _questions;

    /// <summary>Creates the counter. It does not answer other nodes before <see cref="Start"/>.</summary>
    /// <param name="name">The name of the kind: equal on all nodes and unique in the application.</param>
    /// <param name="isCounted">Returns whether a connection is of this kind. Must be fast and thread-safe.</param>
    /// <param name="fanout">The fan-out with the connections of this node.</param>
    /// <param name="questions">Queries the other nodes.</param>
    public StreamCounts(string name, Func<EventStreamConnection, bool> isCounted, EventFanout fanout, ClusterQuery questions)
    {
        _kind = "streams." + name;
        _isCounted = isCounted;
        _fanout = fanout;
        _questions = questions;
    }

    /// <summary>Starts to answer other nodes.</summary>
    public void Start() => _questions.Answer(_kind, Own, ClusterJson.Default.String, ClusterJson.Default.StreamCount);

    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        Start();
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Counts the open streams of a user, and of all.</summary>
    public async Task<ClusterAnswer<StreamCount>> OfAsync(string userId, CancellationToken cancellationToken = default)
    {
        var own = Own(userId);
        var others = await _questions.AskAsync(
            _kind,
            userId,
            ClusterJson.Default.String,
            ClusterJson.Default.StreamCount,
            cancellationToken: cancellationToken
        );
        return new(
            new StreamCount(own.OfUser + others.Value.Sum(other => other.OfUser), own.InAll + others.Value.Sum(other => other.InAll)),
            others.UnresponsiveNodes
        );
    }

    private StreamCount Own(string userId) => new(_fanout.OfUser(userId).Count(_isCounted), _fanout.All().Count(_isCounted));
}

/// <summary>A number of open streams. Immutable.</summary>
/// <param name="OfUser">The streams of the requested user.</param>
/// <param name="InAll">The streams of all users.</param>
internal sealed record StreamCount(int OfUser, int InAll);
