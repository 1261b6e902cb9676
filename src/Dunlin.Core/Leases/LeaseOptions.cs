using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>Limits and defaults of leases.</summary>
public sealed class LeaseOptions
{
    /// <summary>Duration of a lease if the request names none. Default: 30 s. Range: 1 s to 1 day.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan DefaultDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest duration that a request may name. A longer one gets 400. Default: 1 hour. Range: 1 s to 1 day.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Largest number of leases that one user may hold. A further one gets 429. Default: 1,000. Range: 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerUser { get; set; } = 1_000;

    /// <summary>
    /// Requests for a lease (acquire, preempt) that one user may send over HTTP per second, on average, on this node. The store keeps the
    /// end of each lease for <see cref="Journal.RetentionOptions.EndedLeaseAge"/>. More gets 429. Zero: no limit. Default: 50. Range: 0
    /// to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 50;

    /// <summary>
    /// Requests for a lease that one user may send at once after a pause. More gets 429. Default: 500. Range: 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int RequestBurst { get; set; } = 500;

    /// <summary>
    /// Largest number of waiters for one resource. A further one gets 429 <c>queue_full</c>. Zero: no queue. Default: 64. Range: 0 to
    /// 1,000.
    /// </summary>
    [Range(0, 1_000)]
    public int MaxWaiters { get; set; } = 64;

    /// <summary>
    /// Largest number of waiters of one user for one resource, one for each tab. One user can then not fill the queue. Default: 4. Range:
    /// 1 to 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxWaitersPerUser { get; set; } = 4;

    /// <summary>Time after which a waiter that did not ask again leaves the queue. Default: 5 minutes. Range: 1 s to 1 day.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan WaitTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Time for which leases stay held after the last connection of their session and device closes. A reconnect within it keeps them.
    /// Default: 10 s.
    /// </summary>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest grace that a preemption may give the holder. Default: 5 minutes. Range: zero to 1 hour.</summary>
    [TimeSpanRange("00:00:00", "01:00:00")]
    public TimeSpan MaxPreemptionGrace { get; set; } = TimeSpan.FromMinutes(5);
}

[OptionsValidator]
internal sealed partial class LeaseOptionsValidator : IValidateOptions<LeaseOptions>;
