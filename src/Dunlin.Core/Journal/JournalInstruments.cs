using System.Diagnostics;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>The metrics of a store's writer. Creates its own meter if there is no meter factory.</summary>
internal sealed class JournalInstruments : IDisposable
{
    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Histogram<int> _events;
    private readonly Histogram<int> _requests;
    private readonly Counter<long> _questions;
    private Func<int> _queueLength = static () => 0;

    public JournalInstruments(IMeterFactory? factory)
    {
        _meter = factory?.Create(DunlinMeters.Journal) ?? new Meter(DunlinMeters.Journal);
        _duration = _meter.CreateHistogram<double>("dunlin.journal.append.duration", "s", "From the request to its durable answer.");
        _events = _meter.CreateHistogram<int>("dunlin.journal.batch.events", "{event}", "Events in one commit.");
        _requests = _meter.CreateHistogram<int>("dunlin.journal.batch.requests", "{request}", "Requests in one commit.");
        _questions = _meter.CreateCounter<long>(
            "dunlin.journal.questions",
            "{query}",
            "Questions to the database for what others committed: for the head, or for a page of events."
        );
        _meter.CreateObservableGauge(
            "dunlin.journal.queue.length",
            () => _queueLength(),
            "{request}",
            "Requests that wait for the writer."
        );
    }

    public void Watch(Func<int> queueLength) => _queueLength = queueLength;

    /// <summary>Returns a timestamp, or 0 if nothing listens to the histogram. For writers that need no timestamps of their own.</summary>
    public long Timestamp() => _duration.Enabled ? Stopwatch.GetTimestamp() : 0;

    /// <param name="queuedAt">The <see cref="Timestamp"/> at which the request was queued.</param>
    public void Answered(long queuedAt)
    {
        if (queuedAt != 0)
            _duration.Record(Stopwatch.GetElapsedTime(queuedAt).TotalSeconds);
    }

    public void Answered(TimeSpan elapsed)
    {
        if (_duration.Enabled)
            _duration.Record(elapsed.TotalSeconds);
    }

    public void CountQuery(string kind) => _questions.Add(1, new KeyValuePair<string, object?>("for", kind));

    public void Batch(int events, int requests)
    {
        _events.Record(events);
        _requests.Record(requests);
    }

    public void Dispose() => _meter.Dispose();
}
