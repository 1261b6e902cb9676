namespace Dunlin.Diagnostics;

/// <summary>Names of the meters, for <c>AddMeter</c> of a metrics exporter.</summary>
public static class DunlinMeters
{
    /// <summary>Appends, batches and the writer's queue of a store.</summary>
    public const string Journal = "Dunlin.Journal";

    /// <summary>Connections, deliveries, catching up and resets.</summary>
    public const string Fanout = "Dunlin.Fanout";

    /// <summary>Requests for leases and how leases ended.</summary>
    public const string Leases = "Dunlin.Leases";

    /// <summary>Attempts at jobs and what they came to.</summary>
    public const string Jobs = "Dunlin.Jobs";
}
