using System.Globalization;

namespace Dunlin.DurableStreams.Wire;

/// <summary>The cursor of live responses: the number of the current interval. It lets caches join waiting readers.</summary>
internal static class StreamCursor
{
    private static readonly DateTimeOffset Epoch = new(2024, 10, 9, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    public static long At(DateTimeOffset now) => (now - Epoch).Ticks / Interval.Ticks;

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
