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

    /// <summary>How many may wait for one resource. Default: 64. Zero allows no waiting.</summary>
    [Range(0, 1_000)]
    public int MaxWaiters { get; set; } = 64;

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
