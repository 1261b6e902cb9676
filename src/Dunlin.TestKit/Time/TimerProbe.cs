namespace Dunlin.TestKit;

/// <summary>Another time, of which it is told when somebody arms a timer of a certain length: the barrier before time is moved, where
/// other timers come and go. Safe for concurrent use.</summary>
/// <param name="inner">The time.</param>
/// <param name="length">The length of the timers waited for; choose one that nobody else uses.</param>
public sealed class TimerProbe(TimeProvider inner, TimeSpan length) : TimeProvider
{
    private readonly SemaphoreSlim _armed = new(0);

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    /// <summary>Completes once for each such timer, those armed before included.</summary>
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
