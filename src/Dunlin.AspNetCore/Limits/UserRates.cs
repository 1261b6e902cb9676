using System.Threading.RateLimiting;
using Dunlin.Diagnostics;

namespace Dunlin.Limits;

/// <summary>Enforces rate limits per user on this node, with one token bucket for each pair of rate and user. Thread-safe.</summary>
/// <remarks>The limiter discards buckets that have been full for a while, so memory is bounded by the number of active users.</remarks>
public sealed class UserRates : IDisposable
{
    private readonly PartitionedRateLimiter<(UserRate Rate, string UserId)> _buckets;

    /// <summary>Creates the limiter. The container calls this.</summary>
    /// <param name="time">The clock of the token buckets.</param>
    public UserRates(TimeProvider time)
    {
        // One shared delegate, because every publish runs this code.
        Func<(UserRate Rate, string UserId), RateLimiter> make = key => new TokenBucket(key.Rate, time);
        _buckets = PartitionedRateLimiter.Create<(UserRate Rate, string UserId), (UserRate Rate, string UserId)>(key =>
            RateLimitPartition.Get(key, make)
        );
    }

    /// <summary>Counts <paramref name="count"/> operations of a user. A full bucket accepts a count above its burst, and the excess delays
    /// later operations.</summary>
    /// <param name="rate">The rate to enforce.</param>
    /// <param name="userId">The user.</param>
    /// <param name="count">The number of operations. Default: 1.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: the bucket has too few tokens. The exception carries
    /// <c>limit</c> and the time to wait.</exception>
    public void Take(UserRate rate, string userId, int count = 1)
    {
        ArgumentNullException.ThrowIfNull(rate);
        if (rate.PerSecond <= 0 || count == 0)
            return;
        using var lease = _buckets.AttemptAcquire((rate, userId), count);
        if (lease.IsAcquired)
            return;
        throw new DunlinException(ErrorCode.TooManyRequests, rate.Text)
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : null,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = rate.Limit },
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _buckets.Dispose();
}
