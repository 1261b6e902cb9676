using Dunlin.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>The clock that decides the expiry of leases: the clock of the database, so that nodes with different clocks agree.
/// Thread-safe.</summary>
/// <param name="clock">The clock of the node.</param>
/// <param name="isDatabase">False uses the clock of the node instead: for tests that control time.</param>
/// <remarks>
/// Each transaction reads it, and it never goes back on this node. Between transactions the monotonic timestamp of the node advances it.
/// </remarks>
internal sealed class DatabaseClock(StoreClock clock, bool isDatabase = true)
{
    private long _latest;
    private long _ahead;

    /// <summary>Gets the current time, estimated without a query: for times days away, such as retention.</summary>
    public DateTimeOffset Now => isDatabase ? clock.Now.AddTicks(Volatile.Read(ref _ahead)) : clock.Now;

    /// <summary>Records the time of the database.</summary>
    /// <param name="microseconds">The clock of the database, in microseconds since 1970-01-01 UTC.</param>
    /// <param name="lastEvent">The time of the last event, in milliseconds since 1970-01-01 UTC.</param>
    /// <returns>The time of the transaction.</returns>
    public DateTimeOffset Read(decimal microseconds, long lastEvent)
    {
        if (!isDatabase)
            return clock.Now;
        var local = clock.Now;
        var said = DateTimeOffset.UnixEpoch.AddTicks((long)(microseconds * TimeSpan.TicksPerMicrosecond));
        var last = DateTimeOffset.FromUnixTimeMilliseconds(lastEvent);
        var now = said < last ? last : said;
        for (var latest = Volatile.Read(ref _latest); ; )
        {
            if (latest >= now.UtcTicks)
            {
                now = new DateTimeOffset(latest, TimeSpan.Zero);
                break;
            }
            var seen = Interlocked.CompareExchange(ref _latest, now.UtcTicks, latest);
            if (seen == latest)
                break;
            latest = seen;
        }
        Volatile.Write(ref _ahead, (now - local).Ticks);
        return now;
    }

    /// <summary>Returns a time in whole milliseconds, as stored with events.</summary>
    public static DateTimeOffset EventTime(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMillisecond));
}
