using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Journal;

/// <summary>The request to run a unit of work of the application.</summary>
internal sealed class UnitRequest<T>(
    Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
    AsyncLocal<RunningUnit?> current,
    LeaseService? leases,
    CancellationToken cancellation
) : WriteRequest<WriteTransaction, T>(cancellation)
{
    // The work runs in the writer with the ambient values of its caller, such as Activity and culture.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private UnitOfWork? _unit;
    private ValueTask<T> _running;
    private CancellationToken _token;

    public override bool IsUnit => true;

    public override void OnCommitted() => _unit?.RunCommitted();

    public override async ValueTask ExecuteAsync(WriteTransaction session)
    {
        var unit = _unit = new UnitOfWork(session, leases);
        var limit = session.StartLimit(Cancellation);
        _token = limit.Token;
        try
        {
            if (_context is null)
                Start();
            else
                ExecutionContext.Run(_context, static state => ((UnitRequest<T>)state!).Start(), this);
            Result = _running.IsCompleted ? await _running : await limit.WaitAsync(_running.AsTask());
            if (limit.IsOver)
                throw UnitAbandonedException.TooLong(limit.Length, null);
        }
        catch (Exception exception) when (limit.IsOver && exception is not UnitAbandonedException and not DunlinException)
        {
            throw UnitAbandonedException.TooLong(limit.Length, exception);
        }
        finally
        {
            unit.End();
            limit.Stop();
            _running = default;
        }
    }

    private void Start()
    {
        current.Value = _unit;
        _running = work(_unit!, _token);
    }
}

/// <summary>The time limit of a unit of work. At the limit the token is cancelled; a unit that continues after a grace period is
/// abandoned.</summary>
internal interface IUnitLimit
{
    TimeSpan Length { get; }

    /// <summary>Gets a token that is cancelled at the limit, or when the caller cancels.</summary>
    CancellationToken Token { get; }

    bool IsOver { get; }

    /// <summary>Waits for a unit that did not complete synchronously.</summary>
    /// <exception cref="UnitAbandonedException">The unit did not end after its cancellation.</exception>
    ValueTask<T> WaitAsync<T>(Task<T> running);

    void Stop();
}

/// <summary>The exception for a unit of work that still runs after its limit. Its connection must not be used again.</summary>
internal sealed class UnitAbandonedException(TimeSpan limit, Task running)
    : Exception("The unit of work did not end after its cancellation and was abandoned.")
{
    /// <summary>The time in which a cancelled unit must end before it is abandoned. Short, because all writers wait for it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets the exception for the caller.</summary>
    public DunlinException Answer { get; } = TooLong(limit, null);

    /// <summary>Gets a task that completes when the unit ends. Until then it may use the connection.</summary>
    public Task Running { get; } = running;

    public static DunlinException TooLong(TimeSpan limit, Exception? cause) =>
        new(
            ErrorCode.StoreUnavailable,
            $"The unit of work took longer than WriteLimit ({limit.TotalSeconds:0.###} s), or did not end when it was cancelled. "
                + "It was rolled back; nothing was stored.",
            null,
            cause
        );
}

/// <summary>The request to run a small change of the store itself in a batch of the writer.</summary>
internal sealed class ChangeRequest<T>(Func<ISqlSession, CancellationToken, ValueTask<T>> change, CancellationToken cancellation)
    : WriteRequest<WriteTransaction, T>(cancellation)
{
    public override async ValueTask ExecuteAsync(WriteTransaction session)
    {
        session.StreamRows.Clear(); // the change may be one of streams
        Result = await change(session.Session, Cancellation);
    }
}
