namespace Dunlin.Fanout;

/// <summary>The answer to one publisher, which waits for the rounds of some shards. Thread-safe.</summary>
internal sealed class PacedAnswer
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _shards = 1; // one for the caller that adds shards

    public Task Released => _released.Task;

    public void AddShard() => Interlocked.Increment(ref _shards);

    public void Signal()
    {
        if (Interlocked.Decrement(ref _shards) == 0)
            _released.TrySetResult();
    }
}
