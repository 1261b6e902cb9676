using Dunlin.Fanout;
using Dunlin.Simulation.Clients;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Nodes;
using Dunlin.Simulation.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Simulation.Runs;

/// <summary>One run: nodes and clients under faults, then calm, then the checks.</summary>
internal sealed class Simulation
{
    private const long MaxSteps = 2_000_000;

    private static readonly TopicName[] Topics = [TopicName.Of("t", "a"), TopicName.Of("t", "b"), TopicName.Of("t", "c")];

    private readonly SimOptions _options;
    private readonly SimWorld _world;
    private readonly SimCluster _cluster;
    private readonly List<SimReader> _readers = [];
    private bool _isOver;

    private Simulation(SimOptions options, SimWorld world)
    {
        (_options, _world) = (options, world);
        var faults = FaultPlan.Draw(options.Seed, options.Kinds);
        world.Stall = faults.Stall;
        world.Trace.IsOn = options.Traces;
        _cluster = new SimCluster(world, options.Nodes, faults, options.Kinds, options.Sabotage);
    }

    /// <summary>Runs a seed on the calling thread.</summary>
    public static SimResult Run(SimOptions options)
    {
        // A test framework may have set one, and awaits would prefer it to the scheduler.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return RunAlone(options);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private static SimResult RunAlone(SimOptions options)
    {
        using var world = new SimWorld(options.Order == 0 ? options.Seed : options.Order, stall: 0);
        var simulation = new Simulation(options, world);
        Exception? failure = null;
        try
        {
            world.Run(simulation.RunAsync, MaxSteps);
        }
#pragma warning disable CA1031 // every exception is a finding of the run
        catch (Exception error)
#pragma warning restore CA1031
        {
            failure = error;
        }
        foreach (var node in simulation._cluster.Nodes)
            node.Kill();
        return new SimResult(failure, world.Digest, world.Steps, simulation.Count(), world.Trace.Lines);
    }

    private async Task RunAsync()
    {
        _cluster.StartAll();
        while (_cluster.Pick() is null)
            await _world.DelayAsync(TimeSpan.FromMilliseconds(100));
        var rage = _cluster.RageAsync(() => _isOver);
        var reading = OpenReaders();
        await Task.WhenAll(Work());
        _isOver = true;
        _cluster.Calm();
        await SettleAsync(TimeSpan.FromSeconds(25));
        _cluster.RestAt = _world.Time.GetUtcNow();
        await new SimPublisher(_cluster, "last", Topics).PublishLastAsync();
        await SettleAsync(TimeSpan.FromSeconds(40));
        foreach (var reader in _readers)
            reader.Check.AtEnd();
        _cluster.Ledger.AtEnd();
        CheckNodes();
        foreach (var reader in _readers)
            reader.Leave();
        await Task.WhenAll(reading);
        _ = rage;
    }

    private List<Task> OpenReaders()
    {
        var random = _world.Random;
        for (var number = 0; number < _options.Readers; number++)
        {
            var user = $"user-{number % 3}";
            var caller = new Caller(user, user) { SessionId = "session-" + user, DeviceId = "device-" + user };
            var some = Topics.Where(_ => random.Next(3) > 0).ToList();
            var all = some.Count == 0 || random.Next(5) == 0;
            _readers.Add(
                new SimReader(_cluster, $"reader {number}", caller, all ? [] : some, all ? [TopicPattern.Parse("t/*")] : [])
                {
                    Conflates = random.Next(4) == 0,
                }
            );
        }
        return [.. _readers.Select(reader => reader.RunAsync())];
    }

    private IEnumerable<Task> Work()
    {
        for (var number = 0; number < _options.Publishers; number++)
            yield return new SimPublisher(_cluster, $"publisher {number}", Topics).RunAsync(_options.Events);
        var resources = new[] { ResourceName.Of("r", "1"), ResourceName.Of("r", "2") };
        for (var number = 0; number < _options.LeaseUsers; number++)
        {
            var user = $"user-{number % 3}";
            // The session of a reader: the end of its last stream ends the leases. Another session has no stream.
            var session = number == 0 ? "session-other" : "session-" + user;
            var caller = new Caller(user, user) { SessionId = session, DeviceId = "device-" + user };
            var leases = new SimLeases(_cluster, $"holder {number}", caller, resources);
            yield return leases.RunClaimsAsync(_options.Leases);
            yield return leases.RunHandlesAsync(_options.Leases);
        }
        yield return new SimJobs(_cluster).RunAsync(_options.Jobs);
        yield return new SimRights(_cluster, ["user-0", "user-1"], Topics).RunAsync(_options.Rights);
    }

    private Task SettleAsync(TimeSpan time) => _world.DelayAsync(time);

    private void CheckNodes()
    {
        var database = _cluster.Database;
        foreach (var node in _cluster.Nodes)
        {
            if (!node.IsReady)
                throw new SimulationException("quiesce", $"{node.Name} has not started.");
            if (node.Get<EventFanout>().DeliveredHead.Offset is var head && head != database.Head)
                throw new SimulationException("quiesce", $"{node.Name} stays at {head}; the head is {database.Head}.");
        }
        foreach (var row in database.Rows.Leases.ByResource.Values)
        {
            if (row.LeaseId is not null || row.Waiters.Count > 0)
                throw new SimulationException(
                    "quiesce",
                    $"The lease of {row.Resource} is held by {row.LeaseId} with {row.Waiters.Count} waiters, although nobody uses it."
                );
        }
    }

    private SimCounts Count() =>
        new(
            _cluster.Database.Log.Count,
            _readers.Sum(reader => reader.Check.Received),
            _cluster.Ledger.Grants,
            _cluster.Ledger.Jobs,
            (long)_world.Time.Elapsed.TotalSeconds
        );
}
