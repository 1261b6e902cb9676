using Dunlin.Diagnostics;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>A token bucket for each user who published lately. Full buckets are forgotten, so memory is bounded by those
/// who publish faster than their buckets fill.</summary>
internal sealed class PublishRate(IOptions<PublishOptions> options, TimeProvider time)
{
    // Above so many buckets the full ones are dropped.
    private const int SweepAt = 10_000;

    private readonly Lock _gate = new();   // guards _buckets
    private readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Takes tokens for so many events.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/> with the time to wait.</exception>
    public void Take(string userId, int events)
    {
        var rate = options.Value.PerSecond;
        if (rate == 0)
            return;
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (_buckets.Count >= SweepAt)
                Sweep(now, rate);
            var bucket = _buckets.TryGetValue(userId, out var known) ? Fill(known, now, rate) : new Bucket(options.Value.Burst, now);
            // A request larger than a whole bucket is let through when the bucket is full, and leaves a debt.
            if (bucket.Tokens < Math.Min(events, options.Value.Burst))
            {
                _buckets[userId] = bucket;
                throw new DunlinException(ErrorCode.TooManyRequests, $"{rate} events per second is the limit.")
                {
                    RetryAfter = TimeSpan.FromSeconds((Math.Min(events, options.Value.Burst) - bucket.Tokens) / rate),
                    Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = rate },
                };
            }
            _buckets[userId] = bucket with { Tokens = bucket.Tokens - events };
        }
    }

    private Bucket Fill(Bucket bucket, long now, int rate) =>
        new(Math.Min(options.Value.Burst, bucket.Tokens + (time.GetElapsedTime(bucket.At, now).TotalSeconds * rate)), now);

    private void Sweep(long now, int rate)
    {
        foreach (var (user, bucket) in _buckets)
        {
            if (Fill(bucket, now, rate).Tokens >= options.Value.Burst)
                _buckets.Remove(user);
        }
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Bucket(double Tokens, long At);
}
