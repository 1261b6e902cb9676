using Dunlin.Journal;

namespace Dunlin.Relational.Outbox;

/// <summary>Runs one flush at a time. All callers that arrive while one runs share the next one, which begins after their calls.
/// Thread-safe.</summary>
internal sealed class SharedFlush(Func<Task<Position>> flush)
{
    private readonly Lock _lock = new(); // guards _running and _next
    private Task _running = Task.CompletedTask;
    private Task<Position>? _next;

    /// <summary>Returns the result of a flush that begins after this call.</summary>
    public Task<Position> RunAsync()
    {
        lock (_lock)
        {
            if (_next is not null)
                return _next;
            // Without the context of the caller, because the flush serves other callers too.
            using (ExecutionContext.SuppressFlow())
                return _next = Task.Run(() => RunAfterAsync(_running));
        }
    }

    private async Task<Position> RunAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
            (_running, _next) = (_next!, null);
        return await flush();
    }
}
