namespace Dunlin.Journal;

/// <summary>The clock that decides lease expiry and timestamps events. Thread-safe.</summary>
/// <remarks>
/// It reads the wall clock once at start-up and then advances with the monotonic timestamp. A step of the wall clock can therefore neither
/// end a lease early, grant a lease twice, nor make retention remove events early. The cost: time while the machine is suspended may not
/// count, and a wrong wall clock at start-up stays wrong until a restart.
/// </remarks>
/// <param name="time">The time provider.</param>
public sealed class StoreClock(TimeProvider time)
{
    private readonly DateTimeOffset _anchor = time.GetUtcNow();
    private readonly long _timestamp = time.GetTimestamp();

    /// <summary>Gets the underlying time provider, for timers.</summary>
    public TimeProvider TimeProvider { get; } = time;

    /// <summary>Gets the current time (UTC). Never decreases within a process.</summary>
    public DateTimeOffset Now => _anchor + TimeProvider.GetElapsedTime(_timestamp);

    /// <summary>
    /// Gets the current time in whole milliseconds, the precision of the journal: an event read back has the same time as its live
    /// delivery.
    /// </summary>
    public DateTimeOffset EventTime
    {
        get
        {
            var now = Now;
            return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        }
    }
}
