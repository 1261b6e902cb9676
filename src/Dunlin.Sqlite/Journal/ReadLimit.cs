using Dunlin.Diagnostics;

namespace Dunlin.Sqlite.Journal;

/// <summary>Ends a read scope that takes too long, because its snapshot keeps SQLite from truncating the log. Thread-safe.</summary>
/// <remarks>At the limit it cancels the token, interrupts the running statement and closes the connection.</remarks>
internal sealed class ReadLimit : IDisposable
{
    private readonly Reader _reader;
    private readonly TimeSpan _limit;
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;

    // Guards the two fields below: a reader that has returned to the pool must not be closed.
    private readonly Lock _lock = new();
    private bool _isOver;
    private bool _isStopped;

    public ReadLimit(Reader reader, TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _reader = reader;
        _limit = limit;
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        _timer = time.CreateTimer(static state => ((ReadLimit)state!).Expire(), this, limit, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    public bool IsOver
    {
        get
        {
            lock (_lock)
                return _isOver;
        }
    }

    public void Stop()
    {
        lock (_lock)
            _isStopped = true;
        _timer.Dispose();
    }

    public void ThrowIfOver(Exception? cause)
    {
        if (IsOver)
        {
            throw new DunlinException(
                ErrorCode.StoreUnavailable,
                $"The read took longer than SqliteOptions.ReadLimit ({_limit.TotalSeconds:0.###} s) and was cancelled.",
                null,
                cause
            );
        }
    }

    public void Dispose() => _source.Dispose();

    private void Expire()
    {
        lock (_lock)
        {
            if (_isStopped)
                return;
            _isOver = true;
            _reader.Break();
            _source.Cancel();
        }
    }
}
