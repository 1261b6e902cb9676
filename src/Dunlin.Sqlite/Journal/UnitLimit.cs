using Dunlin.Relational.Journal;
using Dunlin.Sqlite.Schema;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>Enforces the time limit of successive units of work. The writer's thread blocks in it.</summary>
/// <remarks>At the limit it cancels the token and interrupts the running statement. A unit that still does not end is abandoned together
/// with its connection.</remarks>
internal sealed class UnitLimit : IUnitLimit, IDisposable
{
    private readonly ITimer _timer;
    private CancellationTokenSource _source = new();
    private CancellationTokenSource _expired = new();
    private CancellationTokenRegistration _caller;

    // Guards _database and _isOver: the timer must interrupt only the unit for which it was set, never the next one.
    private readonly Lock _lock = new();
    private Database? _database;
    private bool _isOver;

    public UnitLimit(TimeSpan limit, TimeProvider time)
    {
        Length = limit;
        _timer = time.CreateTimer(static state => ((UnitLimit)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public TimeSpan Length { get; }

    public CancellationToken Token => _source.Token;

    public bool IsOver
    {
        get
        {
            lock (_lock)
                return _isOver;
        }
    }

    /// <summary>Starts the limit of a unit of work on this connection.</summary>
    public void Start(Database database, CancellationToken caller)
    {
        lock (_lock)
        {
            // After a limit the timer may still be cancelling the old sources, so it keeps them.
            if (_isOver)
                (_source, _expired) = (new CancellationTokenSource(), new CancellationTokenSource());
            else if (!_source.TryReset())
                _source = new CancellationTokenSource();
            (_database, _isOver) = (database, false);
        }
        if (caller.CanBeCanceled)
            _caller = caller.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
        _timer.Change(Length, Timeout.InfiniteTimeSpan);
    }

    // Blocks the writer's thread. If only the caller has cancelled, the unit may continue up to the limit.
    public ValueTask<T> WaitAsync<T>(Task<T> running)
    {
        try
        {
            running.Wait(_expired.Token);
        }
        catch (OperationCanceledException) when (!running.IsCompleted)
        {
            if (Task.WaitAny([running], UnitAbandonedException.Grace) < 0)
                throw new UnitAbandonedException(Length, running);
        }
        catch (AggregateException)
        {
            // GetResult below throws the original exception.
        }
        return new(running.GetAwaiter().GetResult());
    }

    public void Stop()
    {
        lock (_lock)
            _database = null;
        _caller.Dispose();
        _caller = default;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

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
            if (_database is null)
                return;
            _isOver = true;
            raw.sqlite3_interrupt(_database.Handle);
            (source, expired) = (_source, _expired);
        }
        source.Cancel();
        expired.Cancel();
    }
}
