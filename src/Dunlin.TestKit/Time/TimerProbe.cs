namespace Dunlin.TestKit;

/// <summary>Decorates a clock, and reports when a timer of a certain length is armed. Thread-safe.</summary>
/// <param name="inner">The clock.</param>
/// <param name="length">The length of the timers to report. Choose one that no other code uses.</param>
/// <remarks>Await it before advancing time if other timers are armed and disposed concurrently.</remarks>
public sealed class TimerProbe(TimeProvider inner, TimeSpan length) : TimeProvider
{
    private readonly SemaphoreSlim _armed = new(0);

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    /// <summary>Returns a task that completes once for each such timer, including timers that were armed before the call.</summary>
    public Task ArmedAsync() => _armed.WaitAsync();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    /// <inheritdoc/>
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = inner.CreateTimer(callback, state, dueTime, period);
        if (dueTime == length)
            _armed.Release();
        return timer;
    }
}
