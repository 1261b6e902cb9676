using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <summary>One lease in the system that stores it: the store or Redis.</summary>
internal abstract class LeaseBackend(TimeProvider time)
{
    /// <summary>Gets the time provider of the handles.</summary>
    public TimeProvider Time => time;

    /// <summary>Converts a time span to timestamp ticks of <see cref="Time"/>.</summary>
    public long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>Returns the term of a reply. The lease is valid for the remaining time, counted from before the request.</summary>
    public LeaseTerm TermOf(DateTimeOffset expiresAt, TimeSpan left, bool isEnding, long asked) =>
        new(expiresAt, asked + TicksOf(left), asked + (TicksOf(left) / 3), isEnding);

    /// <summary>Renews the lease.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the lease is lost.</exception>
    public abstract ValueTask<LeaseTerm> RenewAsync(LeaseDuration duration, CancellationToken cancellationToken);

    /// <summary>Hands the lease off.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the lease is lost. <see cref="ErrorCode.Conflict"/>: there is
    /// no waiter.</exception>
    public abstract ValueTask HandOffAsync(string? toUserId, CancellationToken cancellationToken);

    /// <summary>Releases this grant only.</summary>
    public abstract ValueTask<bool> ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>Returns why the lease is lost; null if the reason cannot be determined.</summary>
    public abstract ValueTask<LeaseEnd?> LossAsync();

    /// <summary>Stops watching the handle.</summary>
    public abstract void OnClosed();

    public abstract void LogReleaseFailed(Exception exception);

    public abstract void LogRenewalFailed(Exception exception);
}

/// <summary>The validity of a lease.</summary>
/// <param name="ExpiresAt">The expiry by the clock of the store.</param>
/// <param name="ValidUntil">The local timestamp until which the lease is valid; never after <paramref name="ExpiresAt"/>.</param>
/// <param name="RenewAt">The local timestamp at which to renew: a third of the duration after the request.</param>
/// <param name="IsEnding">Whether a preemption is pending.</param>
internal readonly record struct LeaseTerm(DateTimeOffset ExpiresAt, long ValidUntil, long RenewAt, bool IsEnding);
