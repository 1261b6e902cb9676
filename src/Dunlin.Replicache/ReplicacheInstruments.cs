using System.Diagnostics.Metrics;

namespace Dunlin.Replicache;

/// <summary>Records metrics of push and pull. Thread-safe.</summary>
public sealed class ReplicacheInstruments
{
    /// <summary>The name of the meter, for <c>AddMeter</c> of a metrics exporter.</summary>
    public const string MeterName = "Dunlin.Replicache";

    private readonly Counter<long> _mutations;
    private readonly Histogram<long> _rows;
    private readonly Histogram<double> _pull;
    private readonly Counter<long> _removed;

    /// <summary>Creates the instruments. The container calls this.</summary>
    /// <param name="meters">Creates the meter.</param>
    public ReplicacheInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _mutations = meter.CreateCounter<long>(
            "dunlin.replicache.mutations",
            "{mutation}",
            "Mutations by outcome: applied, failed, unknown, repeated."
        );
        _rows = meter.CreateHistogram<long>("dunlin.replicache.pull.rows", "{row}", "Rows read by one pull.");
        _pull = meter.CreateHistogram<double>(
            "dunlin.replicache.pull.duration",
            "s",
            "Time to read and encode one pull, without sending it."
        );
        _removed = meter.CreateCounter<long>(
            "dunlin.replicache.groups.removed",
            "{group}",
            "Client groups removed because they were idle."
        );
    }

    internal void Mutations(string outcome, int count)
    {
        if (count > 0)
            _mutations.Add(count, new KeyValuePair<string, object?>("outcome", outcome));
    }

    internal void GroupsRemoved(int count)
    {
        if (count > 0)
            _removed.Add(count);
    }

    internal void Pulled(long rows, TimeSpan duration)
    {
        _rows.Record(rows);
        _pull.Record(duration.TotalSeconds);
    }
}
