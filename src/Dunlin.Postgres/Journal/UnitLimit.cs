using Dunlin.Relational.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>Enforces the time limit of one unit of work. The writer's loop awaits it and blocks no thread. Not thread-safe.</summary>
internal sealed class UnitLimit : IUnitLimit
{
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _linked;

    public UnitLimit(TimeSpan length, TimeProvider time, CancellationToken caller)
    {
        (Length, _time) = (length, time);
        _expiry = new CancellationTokenSource(length, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, caller);
        Token = _linked.Token;
    }

    public TimeSpan Length { get; }

    public CancellationToken Token { get; }

    public bool IsOver => _expiry.IsCancellationRequested;

    public async ValueTask<T> WaitAsync<T>(Task<T> running)
    {
        try
        {
            return await running.WaitAsync(Length + UnitAbandonedException.Grace, _time);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            throw new UnitAbandonedException(Length, running);
        }
    }

    public void Stop()
    {
        _linked.Dispose();
        _expiry.Dispose();
    }
}
