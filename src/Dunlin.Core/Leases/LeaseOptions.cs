using System.ComponentModel.DataAnnotations;

namespace Dunlin.Leases;

/// <summary>Bounds and defaults of leases.</summary>
public sealed class LeaseOptions
{
    /// <summary>The duration where a request names none. Default: 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan DefaultDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest duration that may be asked for. Default: 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many leases one user may hold at once. Default: 1,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerUser { get; set; } = 1_000;

    /// <summary>Requests for a lease (acquire, preempt) that one user may make over HTTP per second, on average: how each ended is kept for
    /// <see cref="Journal.RetentionOptions.EndedLeaseAge"/>. Default: 50. Zero: no limit.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 50;

    /// <summary>Such requests that one user may make at once above the average. Default: 500.</summary>
    [Range(1, 1_000_000)]
    public int RequestBurst { get; set; } = 500;

    /// <summary>How many may wait for one resource. Default: 64. Zero allows no waiting.</summary>
    [Range(0, 1_000)]
    public int MaxWaiters { get; set; } = 64;

    /// <summary>
    /// How often one user may wait for one resource, each tab by itself. Default: 4, so that one user cannot take all places.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxWaitersPerUser { get; set; } = 4;

    /// <summary>How long a waiter stays in the queue unless it asks again. Default: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan WaitTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long leases outlive the last connection of their session and device. A reconnect within it keeps them.
    /// Default: 10 s.</summary>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest grace that a preemption may give. Default: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MaxPreemptionGrace { get; set; } = TimeSpan.FromMinutes(5);
}
