using System.Threading.Channels;
using Dunlin.Topics;

namespace Dunlin.Access;

/// <summary>A bounded queue of access changes, in order. Thread-safe, with one reader.</summary>
/// <remarks>
/// A change that is already queued is not added again. If the queue is full, one <see cref="AccessChange.Everything"/> replaces all changes
/// and covers them, so that no change is lost.
/// </remarks>
internal sealed class AccessQueue
{
    /// <summary>
    /// The maximum number of queued changes: some MiB, since a final frame has a few KiB. Reached if thousands of sessions end during an
    /// outage of the store.
    /// </summary>
    public const int MaxWaiting = 4_096;

    private readonly Lock _gate = new(); // guards _waiting, _keys and _isCompleted
    private readonly Queue<AccessChange> _waiting = new();
    private readonly HashSet<(string UserId, string? SessionId)> _keys = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private bool _isCompleted;

    /// <summary>Gets the number of queued changes.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Adds a change. Ignored after <see cref="Complete"/>.</summary>
    public void Add(AccessChange change)
    {
        lock (_gate)
        {
            if (_isCompleted || _keys.Contains(AccessChange.Everything.Key) || !_keys.Add(change.Key))
                return;
            if (_waiting.Count >= MaxWaiting || change.Key == AccessChange.Everything.Key)
            {
                _waiting.Clear();
                _keys.Clear();
                change = AccessChange.Everything;
                _keys.Add(change.Key);
            }
            _waiting.Enqueue(change);
        }
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Stops accepting changes. Queued changes can still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
            _isCompleted = true;
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Waits for the next change and removes it.</summary>
    /// <returns>The change; null if the queue is completed and empty.</returns>
    public async ValueTask<AccessChange?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_waiting.TryDequeue(out var next))
                {
                    _keys.Remove(next.Key);
                    return next;
                }
                if (_isCompleted)
                    return null;
            }
            await _signal.Reader.ReadAsync(cancellationToken);
        }
    }
}
