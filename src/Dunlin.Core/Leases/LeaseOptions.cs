using System.ComponentModel.DataAnnotations;

namespace Dunlin.Leases;

/// <summary>The limits and defaults of leases.</summary>
public sealed class LeaseOptions
{
    /// <summary>Gets or sets the duration of requests without one. Default: 30 seconds. Range: 1 second to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan DefaultDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the maximum duration of a request. Default: 1 hour. Range: 1 second to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the maximum number of leases that one user may hold. Default: 1,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerUser { get; set; } = 1_000;

    /// <summary>
    /// Gets or sets the average number of acquire and preempt requests per second that one user may send over HTTP. Default: 50. Zero: no
    /// limit.
    /// </summary>
    /// <remarks>
    /// The store keeps the end of each lease for <see cref="Journal.RetentionOptions.EndedLeaseAge"/>, so that frequent requests use
    /// storage.
    /// </remarks>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 50;

    /// <summary>Gets or sets the number of such requests that one user may send in a burst above the average. Default: 500.</summary>
    [Range(1, 1_000_000)]
    public int RequestBurst { get; set; } = 500;

    /// <summary>Gets or sets the maximum number of waiters per resource. Default: 64. Zero disables queueing.</summary>
    [Range(0, 1_000)]
    public int MaxWaiters { get; set; } = 64;

    /// <summary>
    /// Gets or sets the maximum number of waiters per resource and user (each tab is one waiter). Default: 4. Prevents one user from
    /// filling the queue.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxWaitersPerUser { get; set; } = 4;

    /// <summary>
    /// Gets or sets how long a waiter stays in the queue unless it repeats its request. Default: 5 minutes. Range: 1 second to 1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan WaitTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets how long leases outlive the last connection of their session and device. Default: 10 seconds. A reconnect in this time
    /// keeps them.
    /// </summary>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the maximum grace period of a preemption. Default: 5 minutes. Range: 0 to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MaxPreemptionGrace { get; set; } = TimeSpan.FromMinutes(5);
}
