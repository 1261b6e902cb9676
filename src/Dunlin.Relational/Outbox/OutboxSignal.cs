namespace Dunlin.Relational.Outbox;

/// <summary>Wakes the mover of this node. Thread-safe, with one waiter.</summary>
internal sealed class OutboxSignal
{
    private TaskCompletionSource _next = New();

    public void Set() => Volatile.Read(ref _next).TrySetResult();

    /// <summary>Waits for a signal since the last wait, or for a time.</summary>
    public async Task WaitAsync(TimeSpan time, TimeProvider provider, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var next = Volatile.Read(ref _next);
        await Task.WhenAny(next.Task, Task.Delay(time, provider, ended.Token));
        await ended.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        if (next.Task.IsCompleted)
            Volatile.Write(ref _next, New());
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
