namespace Dunlin.Journal;

/// <summary>
/// Answers the requests of one committed batch, away from the writer's thread: as one item of the thread pool that is queued again
/// for the rest before it lets each caller go on. So a batch costs the pool one object and usually one thread to wake, callers
/// go on in the order of their commits, and one that blocks its thread holds up nobody: another thread takes the rest.
/// </summary>
/// <param name="requests">Executed and committed; nobody else touches them any more.</param>
internal sealed class BatchAnswers<TSession>(IReadOnlyList<WriteRequest<TSession>> requests) : IThreadPoolWorkItem
{
    private int _next; // only by the thread that runs; queueing hands it on

    /// <summary>Begins to answer. Call once.</summary>
    public void Start()
    {
        if (requests.Count > 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        var request = requests[_next++];
        if (_next < requests.Count)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        request.Succeed();
    }
}
