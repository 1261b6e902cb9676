using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>
/// Runs jobs on this node: one loop for each type that has a handler here. Several nodes over one store share the work. Start
/// it once the store is open; stopping it gives back what it runs, so that another node (or the next start) goes on at once.
/// </summary>
public sealed class JobNode : IHostedService
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<JobRunner> _runners = [];
    private Task _running = Task.CompletedTask;

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
    public JobNode(
        IStore store,
        IJournal journal,
        CommitFeed feed,
        StoreClock clock,
        IEnumerable<JobType> types,
        JobInstruments instruments,
        ILogger<JobNode> logger,
        EventFanout? fanout = null,
        bool isAlone = false
    )
    {
        var origin = new EventOrigin(DeviceId: JobRunner.NodePrefix + Guid.NewGuid().ToString("N"));
        foreach (var type in types)
        {
            if (_runners.Any(runner => runner.TypeName == type.Name))
                throw new InvalidOperationException($"Two handlers are for jobs of type '{type.Name}'.");
            var runner = new JobRunner(type, store, journal, clock, instruments, logger, origin, isAlone);
            feed.Committed.Subscribe(runner.OnCommitted);
            fanout?.EventsOf(runner.Topic).Subscribe(runner.OnHeard);
            _runners.Add(runner);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(_runners.Select(runner => Task.Run(() => runner.RunAsync(_stopping.Token), CancellationToken.None)));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(cancellationToken);
    }

    /// <summary>Completes when this node runs no job and none that it knows of is due.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_runners.Select(runner => runner.WhenIdleAsync()));
}
