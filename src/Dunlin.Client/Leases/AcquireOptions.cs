namespace Dunlin.Client;

/// <summary>Holds the options of one request for a lease.</summary>
public sealed class AcquireOptions
{
    /// <summary>The time for which the server keeps the lease without a renewal, in whole seconds. Default: 30 seconds.</summary>
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Called with the one-based place in the queue after each answer while the request waits. It must not block. Default:
    /// null.</summary>
    public Action<int>? OnQueued { get; set; }

    internal int Seconds =>
        Duration >= TimeSpan.FromSeconds(1)
            ? (int)Duration.TotalSeconds
            : throw new ArgumentException($"AcquireOptions.Duration is {Duration}. It must be 1 second or more.");
}

/// <summary>The result of one attempt to acquire a lease: the lease, or its holder. Immutable.</summary>
/// <param name="Lease">The lease. Null if another holder has it.</param>
/// <param name="Holder">The holder. Null if the lease was acquired, or if the server did not name the holder.</param>
public sealed record LeaseAttempt(ClientLease? Lease, LeaseHolder? Holder);
