namespace Dunlin.Diagnostics;

/// <summary>The names of the meters, for <c>AddMeter</c> of OpenTelemetry.</summary>
public static class DunlinMeters
{
    /// <summary>The meter of the store: appends, batches and the writer's queue.</summary>
    public const string Journal = "Dunlin.Journal";

    /// <summary>The meter of the fan-out: connections, deliveries, catch-up and resets.</summary>
    public const string Fanout = "Dunlin.Fanout";

    /// <summary>The meter of leases: requests, and ends by reason.</summary>
    public const string Leases = "Dunlin.Leases";

    /// <summary>The meter of jobs: attempts and their outcomes.</summary>
    public const string Jobs = "Dunlin.Jobs";

    /// <summary>The meter of event consumers: events, failures, gaps and lag of groups.</summary>
    public const string Consumers = "Dunlin.Consumers";

    /// <summary>The meter of webhooks for topics: deliveries, and endpoints that were disabled.</summary>
    public const string Webhooks = "Dunlin.Webhooks";

    /// <summary>The meter of durable streams: webhooks of subscriptions.</summary>
    public const string DurableStreams = "Dunlin.DurableStreams";
}
