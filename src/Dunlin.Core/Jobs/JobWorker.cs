using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>Runs jobs on this node: one loop per job type with a handler. Several nodes on one store share the jobs.</summary>
/// <remarks>
/// Start it after the store is open. On stop it returns its running jobs, so that another node (or the next start) can continue at once.
/// </remarks>
internal sealed class JobWorker : IHostedService
{
    // Constant delay: due jobs must start soon after the store recovers.
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    private readonly List<JobRunner> _runners = [];
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JobNodes? _nodes;
    private IReadOnlyList<BackgroundLoop> _loops = [];
    private BackgroundLoop? _nodesLoop;

    /// <summary>Creates the worker. For the service container.</summary>
    /// <param name="store">The store of the jobs.</param>
    /// <param name="journal">The journal, polled for changes.</param>
    /// <param name="feed">The commits of this node, for immediate notification.</param>
    /// <param name="clock">The clock of the store.</param>
    /// <param name="types">The job types that run on this node.</param>
    /// <param name="instruments">The metrics.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="fanout">The events of other nodes, for immediate notification. Null: polling the journal alone finds their
    /// jobs.</param>
    /// <param name="isAlone">Whether no other process can use this store. Jobs found claimed at start-up are then orphans and run again at
    /// once.</param>
    /// <exception cref="InvalidOperationException">Two handlers have the same job type.</exception>
    public JobWorker(
        IStore store,
        IJournal journal,
        CommitFeed feed,
        StoreClock clock,
        IEnumerable<JobType> types,
        JobInstruments instruments,
        ILogger<JobWorker> logger,
        EventFanout? fanout = null,
        bool isAlone = false
    )
    {
        (_time, _logger) = (clock.TimeProvider, logger);
        var nodeId = Guid.NewGuid().ToString("N");
        var origin = new EventOrigin(DeviceId: JobRunner.NodePrefix + nodeId);
        foreach (var type in types)
        {
            if (_runners.Any(runner => runner.TypeName == type.Name))
                throw new InvalidOperationException($"Two handlers are registered for job type '{type.Name}'. Register one.");
            var runner = new JobRunner(type, store, journal, clock, instruments, logger, origin, isAlone);
            feed.Committed.Subscribe(runner.OnCommitted);
            fanout?.EventsOf(runner.Topic).Subscribe(runner.OnHeard);
            _runners.Add(runner);
        }
        // A store of one process has no other node.
        if (!isAlone && _runners.Where(static runner => runner.NodeTimeout > TimeSpan.Zero).ToList() is { Count: > 0 } timed)
            _nodes = new JobNodes(store, _time, nodeId, timed, logger);
    }

    /// <summary>Gets the registry that reports the loops to the health check.</summary>
    internal BackgroundLoops? Loops { get; init; }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loops =
        [
            .. _runners.Select(runner => new BackgroundLoop(
                $"jobs of type {runner.TypeName}",
                // Run on the thread pool: reading all jobs must not delay the start.
                (loop, stopping) => Background.Run(() => runner.RunAsync(loop, stopping)),
                _time,
                _logger,
                Backoff,
                Loops
            )),
        ];
        foreach (var loop in _loops)
            loop.Start();
        if (_nodes is { } nodes)
        {
            _nodesLoop = new BackgroundLoop("nodes that run jobs", nodes.RunAsync, _time, _logger, Backoff, Loops);
            _nodesLoop.Start();
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The node shows that it lives for as long as its handlers run.
        await Task.WhenAll(_loops.Select(loop => loop.StopAsync(cancellationToken)));
        if (_nodesLoop is { } loop)
            await loop.StopAsync(cancellationToken);
    }

    /// <summary>Completes when this node runs no job and either no known job is due or the loops wait for the store to recover.</summary>
    public async Task WhenIdleAsync()
    {
        // A runner wakes the watch of the nodes when it learns of a claim, and that wakes the runner when the node has ended.
        for (var i = 0; i < 2; i++)
        {
            if (_nodes is { } nodes)
                await nodes.WhenIdleAsync();
            await Task.WhenAll(_runners.Select(runner => runner.WhenIdleAsync()));
        }
    }

    /// <summary>Completes when no round of the watch over the nodes runs or is due. Jobs may run.</summary>
    internal Task WhenRoundIsDoneAsync() => _nodes?.WhenIdleAsync() ?? Task.CompletedTask;
}
