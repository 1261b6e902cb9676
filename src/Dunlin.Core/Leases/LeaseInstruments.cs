using System.Diagnostics.Metrics;
using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <summary>The metrics of leases. Thread-safe.</summary>
internal sealed class LeaseInstruments
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _ends;

    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public LeaseInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.Leases);
        _requests = meter.CreateCounter<long>("dunlin.leases.requests", "{request}", "Requests for a lease, by what they came to.");
        _ends = meter.CreateCounter<long>("dunlin.leases.ended", "{lease}", "Leases that ended, by reason.");
    }

    internal void Requested(LeaseStatus status) =>
        _requests.Add(1, new KeyValuePair<string, object?>("result", JsonNamingPolicy.CamelCase.ConvertName(status.ToString())));

    internal void Ended(LeaseEnd reason) => _ends.Add(1, new KeyValuePair<string, object?>("reason", LeaseErrors.WireName(reason)));
}
