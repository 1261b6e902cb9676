using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Fanout;

/// <summary>The metrics of the fan-out. Thread-safe.</summary>
internal sealed class FanoutInstruments
{
    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public FanoutInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.Fanout);
        Connections = meter.CreateUpDownCounter<int>("dunlin.fanout.connections", "{connection}", "Open event streams.");
        Delivered = meter.CreateCounter<long>("dunlin.fanout.delivered", "{event}", "Events written or queued to live connections.");
        CaughtUp = meter.CreateCounter<long>(
            "dunlin.fanout.caught_up",
            "{event}",
            "Events read again for connections that resumed or fell behind."
        );
        Overflowed = meter.CreateCounter<long>(
            "dunlin.fanout.overflowed",
            "{connection}",
            "Times a slow connection was sent back to the journal."
        );
        Conflated = meter.CreateCounter<long>(
            "dunlin.fanout.conflated",
            "{event}",
            "Events that a later one superseded before a conflating connection was sent them."
        );
        Resets = meter.CreateCounter<long>(
            "dunlin.fanout.resets",
            "{connection}",
            "Times a connection could not be resumed without a gap."
        );
        Lag = meter.CreateHistogram<double>(
            "dunlin.fanout.lag",
            "s",
            "From the commit until a shard handed the events of a round to its live connections.",
            tags: null,
            // The default boundaries are for milliseconds.
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10] }
        );
        Delayed = meter.CreateCounter<long>(
            "dunlin.fanout.publish.delayed",
            "{request}",
            "Publish requests that waited for admission because delivery lagged."
        );
        Refused = meter.CreateCounter<long>(
            "dunlin.fanout.publish.refused",
            "{request}",
            "Publish requests that were refused because delivery lagged."
        );
    }

    internal UpDownCounter<int> Connections { get; }

    internal Counter<long> Delivered { get; }

    internal Counter<long> CaughtUp { get; }

    internal Counter<long> Overflowed { get; }

    internal Counter<long> Conflated { get; }

    internal Counter<long> Resets { get; }

    internal Histogram<double> Lag { get; }

    internal Counter<long> Delayed { get; }

    internal Counter<long> Refused { get; }
}
