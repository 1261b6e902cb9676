using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Bench;

/// <summary>Measures the number of requests in each commit of the journals of this process. Thread-safe.</summary>
internal sealed class CommitSizes : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _commits;
    private long _requests;

    public CommitSizes()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == DunlinMeters.Journal && instrument.Name == "dunlin.journal.batch.requests")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>(
            (_, requests, _, _) =>
            {
                Interlocked.Increment(ref _commits);
                Interlocked.Add(ref _requests, requests);
            }
        );
    }

    public double Mean => (double)_requests / Math.Max(1, _commits);

    /// <summary>Begins to measure.</summary>
    public void Begin() => _listener.Start();

    public void Dispose() => _listener.Dispose();
}
