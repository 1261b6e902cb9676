using System.Threading.Channels;
using Dunlin.Topics;

namespace Dunlin.Access;

/// <summary>
/// Changes of access that wait to be passed on, in order. A change that waits already is not added again. The queue is bounded: where
/// it is full, everything in it becomes one <see cref="AccessChange.Everything"/>, which covers them all; no change is lost. Safe for
/// concurrent use; one reader.
/// </summary>
internal sealed class AccessQueue
{
    /// <summary>Some MiB: a session's last frame has a few KiB. Reached when the store is away while thousands of sessions end.</summary>
    public const int MaxWaiting = 4_096;

    private readonly Lock _gate = new(); // guards _waiting, _keys and _isCompleted
    private readonly Queue<AccessChange> _waiting = new();
    private readonly HashSet<(string UserId, string? SessionId)> _keys = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private bool _isCompleted;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Adds a change; nothing after <see cref="Complete"/>.</summary>
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

    /// <summary>Takes no more; what waits can still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
            _isCompleted = true;
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Waits for the next change and takes it out.</summary>
    /// <returns>Null at the end.</returns>
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
