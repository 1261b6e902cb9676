using Dunlin.Journal;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Consumers;

/// <summary>Runs the groups of this node. Thread-safe.</summary>
/// <remarks>Start it after the store is open. On stop it releases its claims, so that another node continues at once.</remarks>
internal sealed class EventConsumerWorker : IHostedService, IDisposable
{
    private readonly Lock _gate = new(); // guards _runners and _isRunning
    private readonly Dictionary<string, ConsumerRunner> _runners = new(StringComparer.Ordinal);
    private readonly ConsumerNode _node;
    private readonly IDisposable _commits;
    private readonly IDisposable _heads;
    private ConsumerRunner[] _snapshot = [];
    private bool _isRunning;

    /// <exception cref="InvalidOperationException">Two consumers have the same group.</exception>
    public EventConsumerWorker(ConsumerNode node, CommitFeed feed, IEnumerable<ConsumerRegistration> registrations)
    {
        _node = node;
        foreach (var (group, consumer) in registrations)
        {
            if (!_runners.TryAdd(group.Name, new ConsumerRunner(group, consumer, node)))
                throw new InvalidOperationException($"Two consumers are registered for the group '{group.Name}'. Use another name.");
        }
        _snapshot = [.. _runners.Values];
        _commits = feed.Committed.Subscribe(OnCommitted);
        _heads = feed.HeadMoved.Subscribe(_ => SignalAll());
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _isRunning = true;
            foreach (var runner in _runners.Values)
                Start(runner);
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        ConsumerRunner[] runners;
        lock (_gate)
        {
            _isRunning = false;
            runners = [.. _runners.Values];
        }
        await Task.WhenAll(runners.Select(runner => StopAsync(runner, cancellationToken)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _commits.Dispose();
        _heads.Dispose();
    }

    /// <summary>Adds a group while the node runs. Does nothing if the node is stopping.</summary>
    /// <exception cref="InvalidOperationException">The group has a consumer already.</exception>
    public void Add(ConsumerRegistration registration)
    {
        var runner = new ConsumerRunner(registration.Group, registration.Consumer, _node);
        lock (_gate)
        {
            if (!_isRunning)
                return;
            if (!_runners.TryAdd(runner.Name, runner))
                throw new InvalidOperationException($"The group '{runner.Name}' has a consumer already.");
            _snapshot = [.. _runners.Values];
            Start(runner);
        }
    }

    /// <summary>Stops a group on this node and releases its claim. Does nothing if there is none.</summary>
    public async Task RemoveAsync(string group, CancellationToken cancellationToken)
    {
        ConsumerRunner? runner;
        lock (_gate)
        {
            if (!_runners.Remove(group, out runner))
                return;
            _snapshot = [.. _runners.Values];
        }
        await StopAsync(runner, cancellationToken);
    }

    /// <summary>Lets all groups look at the store at once.</summary>
    public void SignalAll()
    {
        foreach (var runner in Volatile.Read(ref _snapshot))
            runner.Signal();
    }

    private void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        foreach (var runner in Volatile.Read(ref _snapshot))
            runner.OnCommitted(events);
    }

    private void Start(ConsumerRunner runner)
    {
        _node.Instruments.Add(runner);
        runner.Loop.Start();
    }

    private async Task StopAsync(ConsumerRunner runner, CancellationToken cancellationToken)
    {
        await runner.Loop.StopAsync(cancellationToken);
        _node.Instruments.Remove(runner);
    }
}

/// <summary>A consumer of this node. Immutable.</summary>
/// <param name="Group">The group.</param>
/// <param name="Consumer">The consumer.</param>
internal sealed record ConsumerRegistration(ConsumerGroup Group, IEventConsumer Consumer);
