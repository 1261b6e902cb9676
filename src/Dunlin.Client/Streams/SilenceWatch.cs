namespace Dunlin.Client.Streams;

/// <summary>Cancels the reading of a stream that receives no byte for 2.5 heartbeats. Thread-safe.</summary>
/// <remarks>One timer for each stream. It is armed again for the remaining time when it fires early, because arming it for each received
/// byte would cost more than reading the byte. Time in which nobody reads does not count: a slow consumer is no silent server.</remarks>
internal sealed class SilenceWatch : IDisposable
{
    private const double SilentHeartbeats = 2.5;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _silent = new();
    private readonly ITimer _timer;
    private readonly Lock _lock = new(); // guards the fields below
    private TimeSpan _limit;
    private long _lastActivity;
    private bool _isReading = true;
    private bool _isDisposed;

    public SilenceWatch(TimeProvider time, TimeSpan heartbeat)
    {
        (_time, _limit, _lastActivity) = (time, heartbeat * SilentHeartbeats, time.GetTimestamp());
        _timer = time.CreateTimer(static state => ((SilenceWatch)state!).Check(), this, _limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets a token that is cancelled when the stream is silent.</summary>
    public CancellationToken Silent => _silent.Token;

    public void SetHeartbeat(TimeSpan heartbeat)
    {
        lock (_lock)
        {
            _limit = heartbeat * SilentHeartbeats;
            Arm();
        }
    }

    /// <summary>Starts or stops counting. Call it before and after each read.</summary>
    public void SetReading(bool isReading)
    {
        lock (_lock)
            (_isReading, _lastActivity) = (isReading, _time.GetTimestamp());
    }

    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        _timer.Dispose();
        _silent.Dispose();
    }

    private void Arm()
    {
        if (!_isDisposed)
            _timer.Change(Left(), Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Left()
    {
        var left = _isReading ? _limit - _time.GetElapsedTime(_lastActivity) : _limit;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Check()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (Left() > TimeSpan.Zero)
            {
                Arm();
                return;
            }
        }
        try
        {
            _silent.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream was closed meanwhile.
        }
    }
}
