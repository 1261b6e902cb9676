namespace Dunlin.Journal;

/// <summary>
/// The clock that judges leases and stamps events: read once from the wall clock at the start, and moved on from there by
/// the monotonic timestamp alone. A wall clock that is stepped while the process runs therefore neither ends a lease early
/// nor grants one twice, and cannot make retention remove a year's events at once. What it costs: time that the whole
/// machine spent suspended is not counted, and a wall clock that was wrong at the start stays wrong here until a restart.
/// Safe for concurrent use.
/// </summary>
public sealed class StoreClock(TimeProvider time)
{
    private readonly DateTimeOffset _anchor = time.GetUtcNow();
    private readonly long _timestamp = time.GetTimestamp();

    /// <summary>Where the time comes from; for timers.</summary>
    public TimeProvider TimeProvider { get; } = time;

    /// <summary>The time now, UTC. Never goes back within a process.</summary>
    public DateTimeOffset Now => _anchor + TimeProvider.GetElapsedTime(_timestamp);

    /// <summary>The time now in whole milliseconds, as events carry it: what is read back from the journal is the same
    /// to the last digit as what was delivered live.</summary>
    public DateTimeOffset EventTime
    {
        get
        {
            var now = Now;
            return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        }
    }
}
