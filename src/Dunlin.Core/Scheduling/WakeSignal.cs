namespace Dunlin.Scheduling;

/// <summary>Ends the wait of a loop that looks for work. Thread-safe, with one waiter.</summary>
/// <remarks>
/// The loop renews the signal, looks, and then waits for the renewed one. Work that arrives during the look therefore ends the wait.
/// </remarks>
internal sealed class WakeSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Ends the present wait, or the next one if the loop has renewed the signal.</summary>
    public void Set()
    {
        // Full fences here and in Renew: either the look sees the work that was added before, or this ends the wait after the look.
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _next).TrySetResult();
    }

    /// <summary>Returns the signal for the next wait. Call it before the look.</summary>
    public Task Renew()
    {
        var renewed = New();
        Interlocked.Exchange(ref _next, renewed);
        return renewed.Task;
    }

    /// <summary>Waits for a signal, at most for a time.</summary>
    /// <param name="signal">The signal from <see cref="Renew"/>.</param>
    /// <param name="limit">The maximum wait.</param>
    /// <param name="time">The clock of the wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public static async Task WaitAsync(Task signal, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        await signal.WaitAsync(limit, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | Background.Context);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource New() => new(Background.Continuations);
}
