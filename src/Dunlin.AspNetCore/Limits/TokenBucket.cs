using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;

namespace Dunlin.Limits;

/// <summary>A token bucket that uses the injected <see cref="TimeProvider"/>. Thread-safe.</summary>
/// <remarks>The token bucket limiter of System.Threading.RateLimiting reads the system clock and always rejects a request larger than its
/// bucket.</remarks>
internal sealed class TokenBucket(UserRate rate, TimeProvider time) : RateLimiter
{
    // Rounding error, in tokens, allowed after the caller has waited for the advertised time.
    private const double Rounding = 1e-6;

    private static readonly RateLimitLease Granted = new Answer(isAcquired: true, default);

    private readonly Lock _gate = new(); // guards the fields below
    private double _tokens = rate.Burst;
    private long _at = time.GetTimestamp();

    /// <summary>Gets for how long the bucket has been idle, or null while it is not full.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_gate)
            {
                var since = time.GetElapsedTime(_at);
                return _tokens + (since.TotalSeconds * rate.PerSecond) >= rate.Burst ? since : null;
            }
        }
    }

    public override RateLimiterStatistics? GetStatistics() => null;

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(rate.Burst, _tokens + (time.GetElapsedTime(_at, now).TotalSeconds * rate.PerSecond));
            _at = now;
            var needed = Math.Min(permitCount, rate.Burst);
            if (_tokens < needed - Rounding)
                return new Answer(isAcquired: false, TimeSpan.FromSeconds((needed - _tokens) / rate.PerSecond));
            _tokens -= permitCount;
            return Granted;
        }
    }

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) =>
        new(AttemptAcquireCore(permitCount));

    private sealed class Answer(bool isAcquired, TimeSpan retryAfter) : RateLimitLease
    {
        public override bool IsAcquired => isAcquired;

        public override IEnumerable<string> MetadataNames => isAcquired ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
        {
            metadata = !isAcquired && metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
            return metadata is not null;
        }
    }
}
