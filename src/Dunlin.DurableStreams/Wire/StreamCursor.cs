using System.Globalization;
using System.Numerics;

namespace Dunlin.DurableStreams.Wire;

/// <summary>The cursor of live responses: the number of the current interval. It lets caches join waiting readers.</summary>
internal static class StreamCursor
{
    private static readonly DateTimeOffset Epoch = new(2024, 10, 9, 0, 0, 0, TimeSpan.Zero);
    private const long MaxCursor = 1L << 53;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    public static long At(DateTimeOffset now) => (now - Epoch).Ticks / Interval.Ticks;

    /// <summary>Returns how far the cursors of an event stream are ahead of the time, so that all are greater than that of the
    /// client.</summary>
    /// <param name="client">The client's cursor; null for none. A text that is no number, or is above 2^53, counts as none.</param>
    /// <param name="now">The current time.</param>
    /// <returns>0 or a power of two. There are few of them, so readers share the bytes of their frames.</returns>
    public static long LeadOf(string? client, DateTimeOffset now) =>
        long.TryParse(client, NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given >= At(now) && given <= MaxCursor
            ? (long)BitOperations.RoundUpToPowerOf2((ulong)(given - At(now) + 1))
            : 0;

    /// <summary>Returns a cursor greater than that of the client, so that no cached answer is asked for again.</summary>
    /// <param name="client">The client's cursor; null for none. A text that is no number counts as none.</param>
    /// <param name="now">The current time.</param>
    public static string After(string? client, DateTimeOffset now)
    {
        var current = At(now);
        if (
            long.TryParse(client, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            && given >= current
            && given < long.MaxValue - 200
        )
            current = given + 1 + (Random.Shared.Next(1, 3_600) / (long)Interval.TotalSeconds);
        return current.ToString(CultureInfo.InvariantCulture);
    }
}
