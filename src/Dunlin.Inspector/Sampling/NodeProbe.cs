using System.Diagnostics.Metrics;
using System.Reflection;
using Dunlin.Fanout;
using Dunlin.Inspector.Cluster;
using Dunlin.Inspector.Topics;
using Dunlin.Journal;

namespace Dunlin.Inspector.Sampling;

/// <summary>Measures this node while it exists. Not thread-safe: the sampler calls it from one tick at a time.</summary>
internal sealed class NodeProbe : IDisposable
{
    /// <summary>Samples between two reads of the oldest event and of the size of the journal.</summary>
    private const int KeptEvery = 10;

    private static readonly string Version =
        typeof(EventFanout).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private static readonly DateTimeOffset Started = new(Environment.TickCount64 >= 0 ? ProcessStart() : default, TimeSpan.Zero);

    private readonly EventFanout _fanout;
    private readonly IJournal _journal;
    private readonly TimeProvider _time;
    private readonly NodeQueries _nodes;
    private readonly TopicRates _rates;
    private readonly MeterReader _meters;
    private readonly IDisposable _accepted;
    private long _events;
    private long _bytes;
    private long _lastTick;
    private TimeSpan _lastCpu = Environment.CpuUsage.TotalTime;
    private int _samples;
    private long _kept;
    private long? _stored;

    public NodeProbe(EventFanout fanout, IJournal journal, TimeProvider time, NodeQueries nodes, TopicRates rates, IMeterFactory meters)
    {
        (_fanout, _journal, _time, _nodes, _rates) = (fanout, journal, time, nodes, rates);
        _meters = new MeterReader(meters);
        _lastTick = time.GetTimestamp();
        _accepted = fanout.OnAccepted(Count);
    }

    public async ValueTask<NodeSample> MeasureAsync(CancellationToken cancellationToken)
    {
        if (_samples++ % KeptEvery == 0)
            (_kept, _stored) = (await ReadKeptAsync(cancellationToken), await _journal.ReadSizeAsync(cancellationToken));
        var now = _time.GetTimestamp();
        var seconds = Math.Max(_time.GetElapsedTime(_lastTick, now).TotalSeconds, 0.001);
        var cpu = Environment.CpuUsage.TotalTime;
        var counts = _meters.Take();
        var connections = _fanout.All();
        var sample = new NodeSample
        {
            Node = _nodes.Id,
            Name = _nodes.Name,
            Version = Version,
            StartedAt = Started,
            At = _time.GetUtcNow(),
            Connections = connections.Count,
            Behind = connections.Count(static connection => connection.State is EventStreamState.CatchingUp or EventStreamState.Lagging),
            Delivered = counts.Delivered / seconds,
            CaughtUp = counts.CaughtUp / seconds,
            Overflowed = counts.Overflowed / seconds,
            Resets = counts.Resets / seconds,
            Events = Interlocked.Exchange(ref _events, 0) / seconds,
            Bytes = Interlocked.Exchange(ref _bytes, 0) / seconds,
            P50 = counts.P50,
            P99 = counts.P99,
            DeliveryLag = counts.Lag,
            Queue = counts.Queue,
            Offset = _fanout.DeliveredHead.Offset,
            Head = _journal.Head.Offset,
            Kept = _kept,
            StoredBytes = _stored,
            Cpu = (cpu - _lastCpu).TotalSeconds / seconds,
            Memory = Environment.WorkingSet,
            IsDraining = _fanout.IsDraining,
        };
        _rates.Roll(seconds);
        (_lastTick, _lastCpu) = (now, cpu);
        return sample;
    }

    public void Dispose()
    {
        _accepted.Dispose();
        _meters.Dispose();
        _rates.Clear();
    }

    private void Count(IReadOnlyList<DunlinEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            var entry = events[i];
            if (entry.IsTransient && entry.Topic.IsUnder(TopicRates.EnginePrefix))
                continue;
            Interlocked.Increment(ref _events);
            Interlocked.Add(ref _bytes, entry.Data.Length);
            _rates.Count(entry);
        }
    }

    // The first page of the journal begins at the oldest event that retention has kept.
    private async ValueTask<long> ReadKeptAsync(CancellationToken cancellationToken)
    {
        var page = await _journal.ReadAsync(new JournalQuery(0, null, Limit: 1, MaxBytes: 1), cancellationToken);
        return page.Events.Count == 0 ? 0 : _journal.Head.Offset - page.Events[0].Position.Offset + 1;
    }

    private static DateTime ProcessStart()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.StartTime.ToUniversalTime();
    }
}
