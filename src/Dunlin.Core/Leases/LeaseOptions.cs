using System.ComponentModel.DataAnnotations;

namespace Dunlin.Leases;

/// <summary>Bounds and defaults of leases.</summary>
public sealed class LeaseOptions
{
    /// <summary>The duration where a request names none, in seconds. Default: 30.</summary>
    [Range(1, 86_400)]
    public int DefaultSeconds { get; set; } = 30;

    /// <summary>The longest duration that may be asked for, in seconds. Default: one hour.</summary>
    [Range(1, 86_400)]
    public int MaxSeconds { get; set; } = 3_600;

    /// <summary>How many leases one user may hold at once. Default: 1,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerUser { get; set; } = 1_000;

    /// <summary>Requests for a lease (acquire, take) that one user may make over HTTP per second, on average: how each ended is kept for
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

    /// <summary>How long a waiter stays in the queue unless it asks again, in seconds. Default: 300.</summary>
    [Range(1, 86_400)]
    public int WaitSeconds { get; set; } = 300;

    /// <summary>How long leases outlive the last connection of their session and device. A reconnect within it keeps them.
    /// Default: 10 s.</summary>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest grace that a take may give, in seconds. Default: 300.</summary>
    [Range(0, 3_600)]
    public int MaxTakeGraceSeconds { get; set; } = 300;
}
