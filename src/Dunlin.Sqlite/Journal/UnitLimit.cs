using Dunlin.Diagnostics;

namespace Dunlin.Sqlite.Journal;

/// <summary>
/// Keeps one unit of work after the other within its time: at the limit its token is cancelled and its running statement
/// interrupted; one that does not end then either is abandoned, together with the connection that it still holds.
/// </summary>
internal sealed class UnitLimit : IDisposable
{
    /// <summary>How long a cancelled unit has to end before it is abandoned. Short: all writers wait for it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    private readonly TimeSpan _limit;
    private readonly ITimer _timer;
    private CancellationTokenSource _source = new();
    private CancellationTokenSource _expired = new();
    private CancellationTokenRegistration _caller;

    // Guards _unit and _isOver: the timer must interrupt the unit it was set for, never the next one.
    private readonly Lock _lock = new();
    private SqliteUnit? _unit;
    private bool _isOver;

    public UnitLimit(TimeSpan limit, TimeProvider time)
    {
        _limit = limit;
        _timer = time.CreateTimer(static state => ((UnitLimit)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the unit that runs has passed its limit.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
                return _isOver;
        }
    }

    public CancellationToken Start(SqliteUnit unit, CancellationToken caller)
    {
        lock (_lock)
        {
            // After a limit the timer may still be cancelling the old sources: leave them to the timer.
            if (_isOver)
                (_source, _expired) = (new CancellationTokenSource(), new CancellationTokenSource());
            else if (!_source.TryReset())
                _source = new CancellationTokenSource();
            (_unit, _isOver) = (unit, false);
        }
        if (caller.CanBeCanceled)
            _caller = caller.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
        _timer.Change(_limit, Timeout.InfiniteTimeSpan);
        return _source.Token;
    }

    /// <summary>Waits for work that goes on elsewhere; where only its caller has given up, as long as it takes up to the limit.</summary>
    /// <exception cref="UnitAbandonedException">It did not even end after its cancellation.</exception>
    public T WaitFor<T>(Task<T> running)
    {
        try
        {
            running.Wait(_expired.Token);
        }
        catch (OperationCanceledException) when (!running.IsCompleted)
        {
            if (Task.WaitAny([running], Grace) < 0)
                throw new UnitAbandonedException(TooLong(null));
        }
        catch (AggregateException)
        {
            // The result below throws it as it was.
        }
        return running.GetAwaiter().GetResult();
    }

    public void Stop()
    {
        lock (_lock)
            _unit = null;
        _caller.Dispose();
        _caller = default;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public DunlinException TooLong(Exception? cause) => new(
        ErrorCode.StoreUnavailable,
        $"The unit of work took longer than the limit of {_limit.TotalSeconds:0.###} s, or did not end when it was cancelled, and was rolled back; nothing of it was kept.",
        null,
        cause);

    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
        _expired.Dispose();
    }

    private void Expire()
    {
        CancellationTokenSource source;
        CancellationTokenSource expired;
        lock (_lock)
        {
            if (_unit is null)
                return;
            _isOver = true;
            _unit.Interrupt();
            (source, expired) = (_source, _expired);
        }
        source.Cancel();
        expired.Cancel();
    }
}

/// <summary>A unit of work still runs after its limit: the connection it holds must not be used again.</summary>
internal sealed class UnitAbandonedException(DunlinException answer) : Exception(answer.Message, answer)
{
    public DunlinException Answer { get; } = answer;
}
