using Dunlin.Relational.Journal;

namespace Dunlin.Sqlite.Journal;

/// <summary>Queues requests for the writer in first-in, first-out order. Thread-safe.</summary>
/// <param name="maxWaiting">The maximum number of queued requests. Further requests are refused.</param>
internal sealed class WriteQueue(int maxWaiting)
{
    // Guards all fields. The writer waits on it.
    private readonly object _lock = new();
    private readonly Queue<WriteRequest> _waiting = new();
    private bool _isIdle;
    private bool _isClosed;

    /// <summary>Gets the number of queued requests.</summary>
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

    /// <summary>Waits for requests and takes as many as fit into one batch. The batch grows with the load, because requests queue while the
    /// previous batch is synced.</summary>
    /// <param name="batch">The list of the previous batch, which is cleared and filled.</param>
    /// <returns>False if the queue is closed and empty.</returns>
    public bool Take(List<WriteRequest> batch)
    {
        var areMany = batch.Count > 1;
        batch.Clear();
        if (!WaitForWork())
            return false;
        // The first request wakes this thread, often on the core of a publisher that is about to add more requests. One yield lets them in:
        // with 64 publishers on one core it halves the syncs. A single publisher would only lose time.
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

    /// <returns>False if the queue is closed and empty.</returns>
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

    /// <summary>Refuses new requests. The writer still completes the queued ones.</summary>
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
