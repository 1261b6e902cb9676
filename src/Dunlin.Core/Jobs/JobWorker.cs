using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>
/// Runs jobs on this node: one loop for each type that has a handler here. Several nodes over one store share the work. Start
/// it once the store is open; stopping it gives back what it runs, so that another node (or the next start) goes on at once.
/// </summary>
public sealed class JobWorker : IHostedService
{
    // Does not grow: due jobs must not wait long for a store that is back.
    private static readonly LoopBackoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    private readonly List<JobRunner> _runners = [];
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private IReadOnlyList<BackgroundLoop> _loops = [];

    /// <summary>Made by the container.</summary>
    /// <param name="store">Where the jobs are.</param>
    /// <param name="journal">What has changed of them.</param>
    /// <param name="feed">Tells at once of what this node commits.</param>
    /// <param name="clock">The clock of the store.</param>
    /// <param name="types">What is done here.</param>
    /// <param name="instruments">What is counted.</param>
    /// <param name="logger">The log.</param>
    /// <param name="fanout">Tells at once of what other nodes commit; without one the journal is asked now and then.</param>
    /// <param name="isAlone">Whether no other process can work on this store: then whoever claimed a job before the start is gone, and
    /// the job is begun anew at once.</param>
    /// <exception cref="InvalidOperationException">Two handlers are for the same type.</exception>
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
        var origin = new EventOrigin(DeviceId: JobRunner.NodePrefix + Guid.NewGuid().ToString("N"));
        foreach (var type in types)
        {
            if (_runners.Any(runner => runner.TypeName == type.Name))
                throw new InvalidOperationException($"Two handlers are registered for job type '{type.Name}'. Register one.");
            var runner = new JobRunner(type, store, journal, clock, instruments, logger, origin, isAlone);
            feed.Committed.Subscribe(runner.OnCommitted);
            fanout?.EventsOf(runner.Topic).Subscribe(runner.OnHeard);
            _runners.Add(runner);
        }
    }

    /// <summary>Reports the loops to the health check.</summary>
    internal BackgroundLoops? Loops { get; init; }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loops =
        [
            .. _runners.Select(runner => new BackgroundLoop(
                $"jobs of type {runner.TypeName}",
                // On the pool, because reading all jobs must not hold up the start.
                (loop, stopping) => Task.Run(() => runner.RunAsync(loop, stopping), CancellationToken.None),
                _time,
                _logger,
                Backoff,
                Loops
            )),
        ];
        foreach (var loop in _loops)
            loop.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_loops.Select(loop => loop.StopAsync(cancellationToken)));

    /// <summary>Completes when this node runs no job and none that it knows of is due.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_runners.Select(runner => runner.WhenIdleAsync()));
}
