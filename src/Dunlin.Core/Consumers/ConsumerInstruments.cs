using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Consumers;

/// <summary>The metrics of consumer groups. Thread-safe.</summary>
internal sealed class ConsumerInstruments
{
    private readonly ConcurrentDictionary<ConsumerRunner, bool> _runners = new();
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _gaps;

    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public ConsumerInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.Consumers);
        _delivered = meter.CreateCounter<long>("dunlin.consumers.events", "{event}", "Events that consumers processed, by group.");
        _failed = meter.CreateCounter<long>("dunlin.consumers.failures", "{failure}", "Failed batches, by group.");
        _gaps = meter.CreateCounter<long>(
            "dunlin.consumers.gaps",
            "{gap}",
            "Gaps: retention removed events before a group had processed them, by group."
        );
        meter.CreateObservableGauge(
            "dunlin.consumers.lag",
            () => Lags(),
            "{event}",
            "Events of all topics after the cursor of each group that this node holds."
        );
        meter.CreateObservableGauge(
            "dunlin.consumers.delay",
            () => Delays(),
            "s",
            "Age of the oldest event that each group held by this node is processing. 0 while it waits for events."
        );
    }

    public void Add(ConsumerRunner runner) => _runners[runner] = true;

    public void Remove(ConsumerRunner runner) => _runners.TryRemove(runner, out _);

    public void Delivered(string group, int count) => _delivered.Add(count, Tag(group));

    public void Failed(string group) => _failed.Add(1, Tag(group));

    public void Gap(string group) => _gaps.Add(1, Tag(group));

    private IEnumerable<Measurement<long>> Lags() => Measure(static runner => runner.LagInEvents());

    private IEnumerable<Measurement<double>> Delays() => Measure(static runner => runner.LagInSeconds());

    private IEnumerable<Measurement<T>> Measure<T>(Func<ConsumerRunner, T?> measure)
        where T : struct
    {
        foreach (var runner in _runners.Keys)
        {
            if (measure(runner) is { } value)
                yield return new Measurement<T>(value, Tag(runner.Name));
        }
    }

    private static KeyValuePair<string, object?> Tag(string group) => new("group", group);
}
