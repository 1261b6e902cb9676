using System.Threading.RateLimiting;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Identity;

namespace Dunlin.Identity;

/// <summary>
/// Lets half of the cores hash passwords at one time. A hash is some 100 ms of one core on purpose: signing in must not take all of
/// them from the streams. Safe for concurrent use.
/// </summary>
internal sealed class HashingSlots : IDisposable
{
    /// <summary>Sign-ins that wait for a slot. At 100 ms each, one more would wait half a minute on two cores.</summary>
    public const int MaxWaiting = 256;

    private readonly ConcurrencyLimiter _limiter = new(
        new ConcurrencyLimiterOptions
        {
            PermitLimit = Math.Max(1, Environment.ProcessorCount / 2),
            QueueLimit = MaxWaiting,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }
    );

    private readonly Lock _lock = new();
    private string? _nobody;

    /// <summary>Waits for a slot; disposing the result frees it.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: too many wait already.</exception>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        var lease = await _limiter.AcquireAsync(1, cancellationToken);
        if (lease.IsAcquired)
            return lease;
        lease.Dispose();
        throw new DunlinException(ErrorCode.TooManyRequests, "Too many sign-ins at the same time. Wait for the time in Retry-After.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
    }

    /// <summary>A hash of a password that nobody knows, to compare with where there is no account: the answer comes no sooner. Every
    /// caller asks for it, so that the first one is slow whatever the name.</summary>
    public string HashOfNobody(IPasswordHasher<AccountUser> hasher)
    {
        lock (_lock)
            return _nobody ??= hasher.HashPassword(AccountUser.Unknown(""), Security.Secret.Make());
    }

    public void Dispose() => _limiter.Dispose();
}
