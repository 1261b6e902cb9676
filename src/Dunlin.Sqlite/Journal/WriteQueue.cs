using Dunlin.Relational.Journal;

namespace Dunlin.Sqlite.Journal;

/// <summary>Requests on their way to the writer, first in, first out. Safe for concurrent use.</summary>
/// <param name="maxWaiting">Requests that wait at most; more are refused.</param>
internal sealed class WriteQueue(int maxWaiting)
{
    // Guards all fields; the writer waits on it.
    private readonly object _lock = new();
    private readonly Queue<WriteRequest> _waiting = new();
    private bool _isIdle;
    private bool _isClosed;

    /// <summary>Requests that wait.</summary>
    public int Length
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    public Admission Add(WriteRequest request)
    {
        lock (_lock)
        {
            if (_isClosed)
                return Admission.Closed;
            if (_waiting.Count >= maxWaiting)
                return Admission.Full;
            _waiting.Enqueue(request);
            if (_isIdle)
                Monitor.Pulse(_lock);
            return Admission.Queued;
        }
    }

    /// <summary>Waits for work and takes what is there, as far as one batch goes: the batch grows with the load, because
    /// requests gather while the batch before is being synced.</summary>
    /// <param name="batch">Holds the batch before; filled anew.</param>
    /// <returns>False when the queue is closed and empty.</returns>
    public bool Take(List<WriteRequest> batch)
    {
        var areMany = batch.Count > 1;
        batch.Clear();
        if (!WaitForWork())
            return false;
        // The first request wakes this thread, often on the core of the publisher that is about to add more. Yielding once lets them in:
        // with 64 publishers on one core half the syncs. A lone publisher would only wait for it.
        if (areMany)
            Thread.Yield();
        lock (_lock)
        {
            long bytes = 0;
            var events = 0;
            while (_waiting.TryPeek(out var next))
            {
                events += next.Count;
                bytes += next.Bytes;
                if (batch.Count > 0 && (events > BatchWriter.MaxBatchEvents || bytes > BatchWriter.MaxBatchBytes))
                    break;
                batch.Add(_waiting.Dequeue());
            }
            return true;
        }
    }

    /// <returns>False when the queue is closed and empty.</returns>
    private bool WaitForWork()
    {
        lock (_lock)
        {
            while (_waiting.Count == 0)
            {
                if (_isClosed)
                    return false;
                _isIdle = true;
                Monitor.Wait(_lock);
                _isIdle = false;
            }
            return true;
        }
    }

    /// <summary>Lets nothing more in; what waits is still served.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            Monitor.PulseAll(_lock);
        }
    }

    public enum Admission
    {
        Queued,
        Full,
        Closed,
    }
}
