using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Jobs;

/// <summary>The metrics of jobs. Thread-safe.</summary>
internal sealed class JobInstruments
{
    private readonly Counter<long> _began;
    private readonly Counter<long> _ended;

    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public JobInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.Jobs);
        _began = meter.CreateCounter<long>("dunlin.jobs.attempts", "{attempt}", "Attempts begun, by type of job.");
        _ended = meter.CreateCounter<long>("dunlin.jobs.ended", "{attempt}", "Attempts ended, by type of job and what they came to.");
    }

    internal void Began(string type) => _began.Add(1, new KeyValuePair<string, object?>("type", type));

    internal void Ended(string type, string outcome) =>
        _ended.Add(1, new KeyValuePair<string, object?>("type", type), new KeyValuePair<string, object?>("outcome", outcome));
}
