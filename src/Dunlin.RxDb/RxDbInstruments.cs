using System.Diagnostics.Metrics;

namespace Dunlin.RxDb;

/// <summary>Records metrics of push and pull. Thread-safe.</summary>
public sealed class RxDbInstruments
{
    /// <summary>The name of the meter, for <c>AddMeter</c> of a metrics exporter.</summary>
    public const string MeterName = "Dunlin.RxDb";

    private readonly Counter<long> _rows;
    private readonly Histogram<long> _documents;
    private readonly Histogram<double> _pull;
    private readonly Counter<long> _anew;

    /// <summary>Creates the instruments. The container calls this.</summary>
    /// <param name="meters">Creates the meter.</param>
    public RxDbInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _rows = meter.CreateCounter<long>(
            "dunlin.rxdb.push.rows",
            "{row}",
            "Pushed rows by collection and outcome: written, equal, conflict, refused, failed."
        );
        _documents = meter.CreateHistogram<long>("dunlin.rxdb.pull.documents", "{document}", "Documents of one pull, by collection.");
        _pull = meter.CreateHistogram<double>(
            "dunlin.rxdb.pull.duration",
            "s",
            "Time to read one pull, without sending it, by collection."
        );
        _anew = meter.CreateCounter<long>(
            "dunlin.rxdb.pull.expired",
            "{pull}",
            "Pulls whose checkpoint could not be continued from, by collection."
        );
    }

    internal void Row(string collection, string outcome) =>
        _rows.Add(1, new KeyValuePair<string, object?>("collection", collection), new KeyValuePair<string, object?>("outcome", outcome));

    internal void Pulled(string collection, int documents, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("collection", collection);
        _documents.Record(documents, tag);
        _pull.Record(duration.TotalSeconds, tag);
    }

    internal void Expired(string collection) => _anew.Add(1, new KeyValuePair<string, object?>("collection", collection));
}
