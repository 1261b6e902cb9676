namespace Dunlin.Transport;

/// <summary>Counts the sockets of one server. Thread-safe.</summary>
/// <remarks>Sockets that have left Kestrel have a separate count, because only this transport can wait for them.</remarks>
internal sealed class OpenSockets
{
    private readonly Lock _gate = new(); // guards all fields
    private long _all;
    private long _taken;
    private TaskCompletionSource? _noneTaken;

    /// <summary>Gets the number of open sockets, and of those among them that have left Kestrel.</summary>
    public (long All, long Taken) Counts
    {
        get
        {
            lock (_gate)
                return (_all, _taken);
        }
    }

    /// <summary>Adds a socket unless the limit is reached.</summary>
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

    /// <summary>Counts an open socket as one that has left Kestrel.</summary>
    public void Take()
    {
        lock (_gate)
            _taken++;
    }

    /// <summary>Counts a socket that had left Kestrel as one of Kestrel again.</summary>
    public void Return()
    {
        lock (_gate)
            Leave();
    }

    /// <summary>Removes a closed socket.</summary>
    public void Remove(bool taken)
    {
        lock (_gate)
        {
            _all--;
            if (taken)
                Leave();
        }
    }

    /// <summary>Returns a task that completes when no socket is left that has left Kestrel.</summary>
    public Task NoneTakenAsync()
    {
        lock (_gate)
        {
            if (_taken == 0)
                return Task.CompletedTask;
            return (_noneTaken ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    // Requires _gate.
    private void Leave()
    {
        if (--_taken == 0)
            _noneTaken?.TrySetResult();
    }
}
