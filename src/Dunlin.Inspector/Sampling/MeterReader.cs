using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Inspector.Sampling;

/// <summary>Listens to the meters of the engine while it exists. The instruments cost nothing without a listener. Thread-safe.</summary>
internal sealed class MeterReader : IDisposable
{
    // Eight buckets for each doubling, from 1 microsecond to 19 hours: at most 9 % off.
    private const int BucketsPerDoubling = 8;

    private const double None = -1;

    private readonly long[] _durations = new long[36 * BucketsPerDoubling];
    private readonly MeterListener _listener = new();
    private long _delivered;
    private long _caughtUp;
    private long _overflowed;
    private long _resets;
    private long _queue;
    private double _lag = None; // seconds: the longest

    /// <param name="factory">The meter factory of this application. Meters of other applications in the process are ignored.</param>
    public MeterReader(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (
                instrument.Meter.Name is DunlinMeters.Fanout or DunlinMeters.Journal
                && (instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, factory))
            )
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Count(instrument.Name, value));
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Gauge(instrument.Name, value));
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Time(instrument.Name, value));
        _listener.Start();
    }

    /// <summary>Returns the counts since the last call.</summary>
    public MeterCounts Take()
    {
        Interlocked.Exchange(ref _queue, 0);
        _listener.RecordObservableInstruments();
        var durations = new long[_durations.Length];
        for (var i = 0; i < durations.Length; i++)
            durations[i] = _durations[i] == 0 ? 0 : Interlocked.Exchange(ref _durations[i], 0);
        return new MeterCounts(
            Interlocked.Exchange(ref _delivered, 0),
            Interlocked.Exchange(ref _caughtUp, 0),
            Interlocked.Exchange(ref _overflowed, 0),
            Interlocked.Exchange(ref _resets, 0),
            Interlocked.Read(ref _queue),
            Quantile(durations, 0.5),
            Quantile(durations, 0.99),
            Interlocked.Exchange(ref _lag, None) is var lag && lag >= 0 ? Math.Round(lag * 1_000, 3) : null
        );
    }

    public void Dispose() => _listener.Dispose();

    private void Count(string name, long value)
    {
        switch (name)
        {
            case "dunlin.fanout.delivered":
                Interlocked.Add(ref _delivered, value);
                break;
            case "dunlin.fanout.caught_up":
                Interlocked.Add(ref _caughtUp, value);
                break;
            case "dunlin.fanout.overflowed":
                Interlocked.Add(ref _overflowed, value);
                break;
            case "dunlin.fanout.resets":
                Interlocked.Add(ref _resets, value);
                break;
            default:
                break;
        }
    }

    private void Gauge(string name, int value)
    {
        if (name == "dunlin.journal.queue.length")
            Interlocked.Add(ref _queue, value);
    }

    private void Time(string name, double seconds)
    {
        if (name == "dunlin.journal.append.duration")
            Interlocked.Increment(ref _durations[BucketOf(seconds)]);
        else if (name == "dunlin.fanout.lag")
            KeepLongest(seconds);
    }

    private void KeepLongest(double seconds)
    {
        double before;
        do
        {
            before = Volatile.Read(ref _lag);
        } while (seconds > before && Interlocked.CompareExchange(ref _lag, seconds, before) != before);
    }

    private int BucketOf(double seconds) =>
        Math.Clamp((int)(Math.Log2(Math.Max(seconds * 1_000_000, 1)) * BucketsPerDoubling), 0, _durations.Length - 1);

    private static double? Quantile(ReadOnlySpan<long> buckets, double share)
    {
        var total = 0L;
        foreach (var bucket in buckets)
            total += bucket;
        if (total == 0)
            return null;
        var rank = (long)Math.Ceiling(total * share);
        for (var i = 0; i < buckets.Length; i++)
        {
            rank -= buckets[i];
            if (rank <= 0)
                return Math.Round(Math.Pow(2, (i + 0.5) / BucketsPerDoubling) / 1_000, 3);
        }
        return null;
    }
}

/// <summary>The counts of one interval. Durations are in milliseconds.</summary>
internal sealed record MeterCounts(
    long Delivered,
    long CaughtUp,
    long Overflowed,
    long Resets,
    long Queue,
    double? P50,
    double? P99,
    double? Lag
);
