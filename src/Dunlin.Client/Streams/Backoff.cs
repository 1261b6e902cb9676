namespace Dunlin.Client.Streams;

/// <summary>Computes the delays between attempts.</summary>
internal static class Backoff
{
    // Upper bounds in seconds. The last one repeats.
    private static readonly int[] Seconds = [1, 2, 4, 8, 16, 30];

    /// <summary>Returns the delay after <paramref name="attempt"/> failed attempts, with full jitter: uniform between 0 and the upper
    /// bound. Jitter spreads the reconnects of all clients after a server restart.</summary>
    public static TimeSpan Delay(int attempt, double random) =>
        TimeSpan.FromMilliseconds(Math.Round(random * 1000 * Seconds[Math.Min(attempt, Seconds.Length - 1)]));
}
