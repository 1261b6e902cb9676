using System.Threading.RateLimiting;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Identity;

namespace Dunlin.Identity;

/// <summary>Limits concurrent password hashing to half of the cores. Thread-safe.</summary>
/// <remarks>A hash takes about 100 ms of one core by design. Sign-ins must leave cores for the streams.</remarks>
internal sealed class HashingSlots : IDisposable
{
    /// <summary>The maximum number of sign-ins that wait for a slot. At 100 ms each on two cores, another one would wait half a
    /// minute.</summary>
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

    /// <summary>Waits for a slot. Dispose the result to release the slot.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: too many sign-ins wait already.</exception>
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

    /// <summary>Returns the hash of a random password, to verify against for user names without account, so that the response takes equally
    /// long. All callers request it, so that the slower first call reveals nothing about the name.</summary>
    public string HashOfNobody(IPasswordHasher<AccountUser> hasher)
    {
        lock (_lock)
            return _nobody ??= hasher.HashPassword(AccountUser.Unknown(""), Security.Secret.Make());
    }

    public void Dispose() => _limiter.Dispose();
}
