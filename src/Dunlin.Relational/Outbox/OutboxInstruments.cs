using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Relational.Outbox;

/// <summary>The metrics of the outbox. Thread-safe.</summary>
internal sealed class OutboxInstruments : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _moved;
    private readonly Counter<long> _refused;
    private long _waiting;
    private long _age;

    public OutboxInstruments(IMeterFactory? factory)
    {
        _meter = factory?.Create(DunlinMeters.Journal) ?? new Meter(DunlinMeters.Journal);
        _moved = _meter.CreateCounter<long>(
            "dunlin.outbox.moved",
            "{event}",
            "Events that this node moved from the outbox to the journal."
        );
        _refused = _meter.CreateCounter<long>(
            "dunlin.outbox.refused",
            "{event}",
            "Events of the outbox that the journal did not accept: see the table dunlin_outbox_refused."
        );
        _meter.CreateObservableGauge(
            "dunlin.outbox.waiting",
            () => Waiting(),
            "{event}",
            "Committed events in the outbox at the last look of this node, up to 10,000. 0 on nodes that do not move events now."
        );
        _meter.CreateObservableGauge(
            "dunlin.outbox.age",
            () => AgeInSeconds(),
            "s",
            "Time since the commit of the oldest event in the outbox, at the last look of this node."
        );
    }

    public void Moved(int moved, int refused)
    {
        if (moved > 0)
            _moved.Add(moved);
        if (refused > 0)
            _refused.Add(refused);
    }

    /// <param name="waiting">The number of rows.</param>
    /// <param name="age">The age of the oldest, in milliseconds.</param>
    public void Looked(long waiting, long age)
    {
        Volatile.Write(ref _waiting, waiting);
        Volatile.Write(ref _age, waiting == 0 ? 0 : age);
    }

    private long Waiting() => Volatile.Read(ref _waiting);

    private double AgeInSeconds() => Volatile.Read(ref _age) / 1000d;

    public void Dispose() => _meter.Dispose();
}
