using Dunlin.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>A unit of work of the application.</summary>
internal sealed class UnitRequest<T>(
    Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, AsyncLocal<RunningUnit?> current, CancellationToken cancellation)
    : WriteRequest<WriterSession, T>(cancellation)
{
    /// <summary>How long a cancelled unit has to end before it is abandoned. Short: all writers wait for it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    // The work runs in the writer's loop, but as its caller: with its Activity, culture and other ambient values.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private PostgresUnit? _unit;
    private ValueTask<T> _running;
    private CancellationToken _limit;

    public override bool IsUnit => true;

    public override async ValueTask ExecuteAsync(WriterSession session)
    {
        var (limit, time) = (session.Settings.WriteLimit, session.Settings.Time);
        var unit = _unit = new PostgresUnit(session);
        using var expiry = new CancellationTokenSource(limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, Cancellation);
        _limit = linked.Token;
        try
        {
            if (_context is null)
                Start();
            else
                ExecutionContext.Run(_context, static state => ((UnitRequest<T>)state!).Start(), this);
            Result = _running.IsCompleted ? await _running : await WaitAsync(_running.AsTask(), limit, time);
            if (expiry.IsCancellationRequested)
                throw TooLong(limit, null);
        }
        catch (Exception exception) when (expiry.IsCancellationRequested && exception is not UnitAbandonedException and not Diagnostics.DunlinException)
        {
            throw TooLong(limit, exception);
        }
        finally
        {
            unit.End();
            _running = default;
        }
    }

    private void Start()
    {
        current.Value = _unit;
        _running = work(_unit!, _limit);
    }

    private static async Task<T> WaitAsync(Task<T> running, TimeSpan limit, TimeProvider time)
    {
        try
        {
            return await running.WaitAsync(limit + Grace, time);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            throw new UnitAbandonedException(TooLong(limit, null), running);
        }
    }

    private static Diagnostics.DunlinException TooLong(TimeSpan limit, Exception? cause) => PostgresFaults.Unavailable(
        $"The unit of work took longer than the limit of {limit.TotalSeconds:0.###} s, or did not end when it was cancelled, and was rolled back; nothing of it was kept.", cause);
}

/// <summary>A unit of work still runs after its limit: the connection it holds must not be used again.</summary>
internal sealed class UnitAbandonedException(Diagnostics.DunlinException answer, Task running) : Exception(answer.Message, answer)
{
    public Diagnostics.DunlinException Answer { get; } = answer;

    /// <summary>Completes when the unit has ended after all; until then the connection may be in use.</summary>
    public Task Running { get; } = running;
}
