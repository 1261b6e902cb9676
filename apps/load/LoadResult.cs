namespace Dunlin.Apps.Load;

/// <summary>The figures of a run. Immutable.</summary>
/// <param name="Time">The counted time.</param>
/// <param name="Publishes">The number of accepted events in that time.</param>
/// <param name="Delivered">The number of deliveries in that time.</param>
/// <param name="Tally">The counts and latencies.</param>
/// <param name="Samples">The figures of each second.</param>
/// <param name="CpuMicrosecondsPerDelivery">The CPU time of the server for a delivery; null without its process.</param>
/// <param name="KibPerConnection">The memory of the server for a stream; null without its process.</param>
/// <param name="Stalled">What happened to the streams that stopped reading; null if there were none.</param>
public sealed record LoadResult(
    TimeSpan Time,
    long Publishes,
    long Delivered,
    Tally Tally,
    IReadOnlyList<Sample> Samples,
    double? CpuMicrosecondsPerDelivery,
    double? KibPerConnection,
    StalledResult? Stalled
)
{
    public double PublishesPerSecond => Publishes / Time.TotalSeconds;

    public double DeliveriesPerSecond => Delivered / Time.TotalSeconds;

    /// <summary>Gets whether every event reached every reader exactly once.</summary>
    public bool IsComplete =>
        Tally.Missed == 0 && Tally.Repeated == 0 && Delivered > 0 && (Stalled is null || Stalled.Recovered == Stalled.Streams);
}

/// <summary>The streams that stopped reading and continued after the measurement. Immutable.</summary>
/// <param name="Streams">Their number.</param>
/// <param name="Recovered">The number of those that received everything.</param>
/// <param name="Time">The time until then.</param>
/// <param name="ServerMiB">The memory of the server before they continued; null without its process.</param>
public sealed record StalledResult(int Streams, int Recovered, TimeSpan Time, double? ServerMiB);

/// <summary>The run could not start, or could not be measured.</summary>
public sealed class LoadException : Exception
{
    public LoadException(string message, Exception? inner = null)
        : base(message, inner) { }
}
