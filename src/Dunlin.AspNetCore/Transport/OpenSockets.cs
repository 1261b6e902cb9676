namespace Dunlin.Transport;

/// <summary>Counts the sockets of one server. Those that have left Kestrel are counted apart, because only this transport can wait
/// for them. Safe for concurrent use.</summary>
internal sealed class OpenSockets
{
    private readonly Lock _gate = new(); // guards all fields
    private long _all;
    private long _taken;
    private TaskCompletionSource? _noneTaken;

    /// <summary>How many are open, and how many of those have left Kestrel.</summary>
    public (long All, long Taken) Counts
    {
        get
        {
            lock (_gate)
                return (_all, _taken);
        }
    }

    /// <summary>Counts one more, unless there are as many as may be.</summary>
    public bool TryAdd(long? limit)
    {
        lock (_gate)
        {
            if (_all >= limit)
                return false;
            _all++;
            return true;
        }
    }

    /// <summary>One of those that are counted leaves Kestrel.</summary>
    public void Take()
    {
        lock (_gate)
            _taken++;
    }

    /// <summary>One is closed.</summary>
    public void Remove(bool taken)
    {
        lock (_gate)
        {
            _all--;
            if (taken && --_taken == 0)
                _noneTaken?.TrySetResult();
        }
    }

    /// <summary>Completes when none is left of those that have left Kestrel.</summary>
    public Task NoneTakenAsync()
    {
        lock (_gate)
        {
            if (_taken == 0)
                return Task.CompletedTask;
            return (_noneTaken ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
