using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <summary>One lease in the system that keeps it: the store, or Redis.</summary>
internal abstract class LeaseBackend(TimeProvider time)
{
    /// <summary>The clock of the handles: its timestamps and timers.</summary>
    public TimeProvider Time => time;

    /// <summary>A time span in timestamp ticks of <see cref="Time"/>.</summary>
    public long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>The term of a reply: valid for the time that was left, counted from before the request.</summary>
    public LeaseTerm TermOf(DateTimeOffset expiresAt, TimeSpan left, bool isEnding, long asked) =>
        new(expiresAt, asked + TicksOf(left), asked + (TicksOf(left) / 3), isEnding);

    /// <summary>Renews.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>.</exception>
    public abstract ValueTask<LeaseTerm> RenewAsync(LeaseDuration duration, CancellationToken cancellationToken);

    /// <summary>Hands off.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>, <see cref="ErrorCode.Conflict"/>.</exception>
    public abstract ValueTask HandOffAsync(string? toUserId, CancellationToken cancellationToken);

    /// <summary>Releases this grant, and nothing else.</summary>
    public abstract ValueTask<bool> ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>Returns why the lease is lost; null where it cannot be told.</summary>
    public abstract ValueTask<LeaseEnd?> LossAsync();

    /// <summary>The handle needs no watching any more.</summary>
    public abstract void OnClosed();

    public abstract void LogReleaseFailed(Exception exception);

    public abstract void LogRenewalFailed(Exception exception);
}

/// <summary>How long a lease is valid.</summary>
/// <param name="ExpiresAt">By the clock of the store.</param>
/// <param name="ValidUntil">A timestamp of this process' clock; not after <paramref name="ExpiresAt"/>.</param>
/// <param name="RenewAt">The timestamp at which it is to be renewed: a third of the duration after the request.</param>
/// <param name="IsEnding">Whether a preemption is pending.</param>
internal readonly record struct LeaseTerm(DateTimeOffset ExpiresAt, long ValidUntil, long RenewAt, bool IsEnding);
