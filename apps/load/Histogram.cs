using System.Numerics;

namespace Dunlin.Apps.Load;

/// <summary>
/// Counts durations in microseconds, with sixteen buckets per power of two, so that percentiles have an error of at most 6 %. Thread-safe.
/// </summary>
public sealed class Histogram
{
    private const int Steps = 16;

    private readonly long[] _counts = new long[Steps * 40];
    private long _total;
    private long _max;

    public long Total => Volatile.Read(ref _total);

    public long Max => Volatile.Read(ref _max);

    public void Add(long microseconds)
    {
        microseconds = Math.Max(1, microseconds);
        Interlocked.Increment(ref _counts[BucketOf(microseconds)]);
        Interlocked.Increment(ref _total);
        for (var max = Volatile.Read(ref _max); microseconds > max; max = Volatile.Read(ref _max))
            Interlocked.CompareExchange(ref _max, microseconds, max);
    }

    /// <summary>Returns the duration that this share (0 to 1) of all stays below; 0 if there are none.</summary>
    public long Percentile(double share)
    {
        var wanted = (long)Math.Ceiling(Total * share);
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length && wanted > 0; bucket++)
        {
            seen += Volatile.Read(ref _counts[bucket]);
            if (seen >= wanted)
                return Math.Min(UpperEnd(bucket), Max);
        }
        return Max;
    }

    private static int BucketOf(long value)
    {
        if (value < Steps)
            return (int)value;
        var power = BitOperations.Log2((ulong)value);
        return Math.Min(((power - 3) * Steps) + (int)((value >> (power - 4)) & (Steps - 1)), (Steps * 40) - 1);
    }

    private static long UpperEnd(int bucket)
    {
        if (bucket < Steps)
            return bucket;
        var power = (bucket / Steps) + 3;
        return ((long)(Steps + (bucket % Steps) + 1) << (power - 4)) - 1;
    }
}
