using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>The metrics of subscriptions. Thread-safe.</summary>
internal sealed class SubscriptionInstruments
{
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _disabled;

    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public SubscriptionInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.DurableStreams);
        _deliveries = meter.CreateCounter<long>("dunlin.streams.webhooks", "{delivery}", "Webhooks sent, by outcome.");
        _disabled = meter.CreateCounter<long>(
            "dunlin.streams.webhooks.disabled",
            "{subscription}",
            "Subscriptions disabled after failures."
        );
    }

    public void Delivered(string outcome) => _deliveries.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Disabled() => _disabled.Add(1);
}
