namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>The waiters of a semaphore in a run: first come, first served, as in <see cref="SemaphoreSlim"/>. Its own waits would continue
/// on the thread pool.</summary>
internal sealed class SemaphoreQueue(SemaphoreSlim semaphore)
{
    private readonly LinkedList<TaskCompletionSource> _waiting = [];

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        if (semaphore.Wait(0, CancellationToken.None))
            return Task.CompletedTask;
        var waiter = _waiting.AddLast(new TaskCompletionSource());
        cancellationToken.UnsafeRegister(
            _ =>
            {
                if (waiter.Value.TrySetCanceled(cancellationToken))
                    _waiting.Remove(waiter);
            },
            null
        );
        return waiter.Value.Task;
    }

    public int Release()
    {
        if (_waiting.First is not { } first)
            return semaphore.Release();
        _waiting.RemoveFirst();
        first.Value.SetResult();
        return 0;
    }
}
