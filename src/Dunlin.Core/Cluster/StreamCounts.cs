using Dunlin.Fanout;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Cluster;

/// <summary>
/// How many streams of one kind are open, on all nodes together. Create one for each kind, and call <see cref="Start"/> before the node
/// takes requests; registered as a hosted service it starts with the host. Safe for concurrent use.
/// </summary>
public sealed class StreamCounts : IHostedService
{
    private readonly string _kind;
    private readonly Func<Connection, bool> _isCounted;
    private readonly EventFanout _fanout;
    private readonly ClusterQuery _questions;

    /// <summary>Creates it. It does not answer other nodes yet.</summary>
    /// <param name="name">Names the kind: the same on all nodes, and of one part of the application alone.</param>
    /// <param name="isCounted">Whether a connection is of the kind. Quick; called on any thread, also concurrently.</param>
    /// <param name="fanout">The connections of this node.</param>
    /// <param name="questions">The way to the others.</param>
    public StreamCounts(string name, Func<Connection, bool> isCounted, EventFanout fanout, ClusterQuery questions)
    {
        _kind = "streams." + name;
        _isCounted = isCounted;
        _fanout = fanout;
        _questions = questions;
    }

    /// <summary>Begins to answer other nodes.</summary>
    public void Start() => _questions.Answer<string, StreamCount>(_kind, Own);

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
        var others = await _questions.AskAsync<string, StreamCount>(_kind, userId, cancellationToken: cancellationToken);
        return new(
            new StreamCount(own.OfUser + others.Value.Sum(other => other.OfUser), own.InAll + others.Value.Sum(other => other.InAll)),
            others.UnresponsiveNodes
        );
    }

    private StreamCount Own(string userId) => new(_fanout.OfUser(userId).Count(_isCounted), _fanout.All().Count(_isCounted));
}

/// <summary>Open streams.</summary>
/// <param name="OfUser">Those of the user asked for.</param>
/// <param name="InAll">Those of all users.</param>
public sealed record StreamCount(int OfUser, int InAll);
