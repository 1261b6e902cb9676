using System.Threading.RateLimiting;
using Dunlin.Diagnostics;

namespace Dunlin.Limits;

/// <summary>
/// Keeps users to their rates, each by a bucket of its own for each kind of thing, on this node. A bucket that has been full for a while
/// is forgotten, so memory is bounded by the users who are active. Safe for concurrent use.
/// </summary>
public sealed class UserRates : IDisposable
{
    private readonly PartitionedRateLimiter<(UserRate Rate, string UserId)> _buckets;

    /// <summary>Made by the container.</summary>
    public UserRates(TimeProvider time)
    {
        // One delegate for all: this is on the path of every publish.
        Func<(UserRate Rate, string UserId), RateLimiter> make = key => new TokenBucket(key.Rate, time);
        _buckets = PartitionedRateLimiter.Create<(UserRate Rate, string UserId), (UserRate Rate, string UserId)>(key =>
            RateLimitPartition.Get(key, make)
        );
    }

    /// <summary>
    /// Counts something that a user does. More than a whole bucket is let through when the bucket is full, and leaves a debt.
    /// </summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/> with <c>limit</c> and the time to wait.</exception>
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
