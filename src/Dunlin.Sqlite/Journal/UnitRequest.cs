using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Sqlite.Journal;

/// <summary>A unit of work of the application.</summary>
internal sealed class UnitRequest<T>(
    Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, AsyncLocal<RunningUnit?> current, CancellationToken cancellation)
    : WriteRequest<WriterSession, T>(cancellation)
{
    // The work runs on another thread, but as its caller: with its Activity, culture and other ambient values.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private SqliteUnit? _unit;
    private ValueTask<T> _running;
    private CancellationToken _limit;

    public override bool IsUnit => true;

    // On the writer's thread, to the end: it answers when it is over.
    public override ValueTask ExecuteAsync(WriterSession session)
    {
        var unit = _unit = new SqliteUnit(session);
        _limit = session.Limit.Start(unit, Cancellation);
        try
        {
            if (_context is null)
                Start();
            else
                ExecutionContext.Run(_context, static state => ((UnitRequest<T>)state!).Start(), this);
            Result = _running.IsCompleted ? _running.GetAwaiter().GetResult() : session.Limit.WaitFor(_running.AsTask());
            if (session.Limit.IsOver)
                throw session.Limit.TooLong(null);
            return default;
        }
        catch (Exception exception) when (exception is not UnitAbandonedException and not DunlinException && session.Limit.IsOver)
        {
            throw session.Limit.TooLong(exception);
        }
        finally
        {
            unit.End();
            session.Limit.Stop();
            _running = default;
        }
    }

    private void Start()
    {
        current.Value = _unit;
        _running = work(_unit!, _limit);
    }
}
