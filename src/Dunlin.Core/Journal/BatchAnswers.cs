using Dunlin.Scheduling;

namespace Dunlin.Journal;

/// <summary>Completes the requests of one committed batch on the thread pool, away from the writer's thread.</summary>
/// <remarks>
/// One work item serves the whole batch: it queues itself again for the remaining requests, then completes one request. A batch therefore
/// costs one allocation and usually wakes one thread, and callers continue in commit order. A caller that blocks its thread delays no other
/// caller: another thread runs the work item.
/// </remarks>
/// <param name="requests">The executed and committed requests. No other component may use them any more.</param>
internal sealed class BatchAnswers<TSession>(IReadOnlyList<WriteRequest<TSession>> requests) : IThreadPoolWorkItem
{
    private int _next; // accessed only by the running thread; queueing publishes it to the next one

    /// <summary>Queues the work item. Call once.</summary>
    public void Start()
    {
        if (requests.Count > 0)
            Background.Queue(this);
    }

    void IThreadPoolWorkItem.Execute()
    {
        var request = requests[_next++];
        if (_next < requests.Count)
            Background.Queue(this, preferLocal: true);
        request.Succeed();
    }
}
