using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;

namespace Dunlin.Webhooks;

/// <summary>The metrics of webhooks for topics. Thread-safe.</summary>
internal sealed class WebhookInstruments
{
    private readonly ConcurrentDictionary<string, int> _waiting = new(StringComparer.Ordinal);
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _disabled;

    /// <summary>Creates the metrics. For the service container.</summary>
    /// <param name="meters">The meter factory.</param>
    public WebhookInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(DunlinMeters.Webhooks);
        _deliveries = meter.CreateCounter<long>("dunlin.webhooks.deliveries", "{attempt}", "Attempts to deliver, by endpoint and outcome.");
        _disabled = meter.CreateCounter<long>("dunlin.webhooks.disabled", "{endpoint}", "Endpoints that the server disabled.");
        meter.CreateObservableGauge(
            "dunlin.webhooks.waiting",
            () => Waiting(),
            "{delivery}",
            "Waiting deliveries of each endpoint, on the node that sends them."
        );
    }

    /// <param name="endpoint">The id of the endpoint.</param>
    /// <param name="outcome"><c>delivered</c>, <c>failed</c> or <c>dead</c>.</param>
    public void Delivered(string endpoint, string outcome) => _deliveries.Add(1, Tag("endpoint", endpoint), Tag("outcome", outcome));

    public void Disabled() => _disabled.Add(1);

    /// <param name="endpoint">The id of the endpoint.</param>
    /// <param name="count">The number of waiting deliveries; null if this node does not send them any more.</param>
    public void Waiting(string endpoint, int? count)
    {
        if (count is { } value)
            _waiting[endpoint] = value;
        else
            _waiting.TryRemove(endpoint, out _);
    }

    private IEnumerable<Measurement<int>> Waiting() =>
        _waiting.Select(static pair => new Measurement<int>(pair.Value, Tag("endpoint", pair.Key)));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
