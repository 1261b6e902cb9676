using Dunlin.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>
/// The time that judges leases: the database's, so that nodes whose clocks differ agree. Read with every transaction, never
/// going back on this node; and between transactions carried on by the node's monotonic timestamp. Safe for concurrent use.
/// </summary>
/// <param name="clock">The node's own clock.</param>
/// <param name="isDatabase">False judges by the node's clock instead: for tests that move time.</param>
internal sealed class DatabaseClock(StoreClock clock, bool isDatabase = true)
{
    private long _latest;
    private long _ahead;

    /// <summary>The time now, as far as is known without asking: for what is days away, such as retention.</summary>
    public DateTimeOffset Now => isDatabase ? clock.Now.AddTicks(Volatile.Read(ref _ahead)) : clock.Now;

    /// <summary>Takes in what the database said.</summary>
    /// <param name="microseconds">Its clock, since 1970.</param>
    /// <param name="lastEvent">The time of the last event, in milliseconds since 1970.</param>
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

    /// <summary>A time in whole milliseconds, as events carry it.</summary>
    public static DateTimeOffset EventTime(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMillisecond));
}
