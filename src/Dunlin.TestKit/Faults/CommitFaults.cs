using System.Collections.Concurrent;
using Dunlin.Diagnostics;

namespace Dunlin.TestKit;

/// <summary>Queues faults for the next commits of <see cref="FaultyJournal"/> and <see cref="FaultyStore"/>. Each commit takes one fault;
/// without one it succeeds. Thread-safe.</summary>
public sealed class CommitFaults
{
    private readonly ConcurrentQueue<CommitFault> _next = new();

    /// <summary>Holds the next commit until the gate is released.</summary>
    /// <returns>The gate of the commit.</returns>
    public CommitGate HoldNext()
    {
        var gate = new CommitGate();
        _next.Enqueue(new CommitFault(gate, null, null));
        return gate;
    }

    /// <summary>Makes the next commit fail and roll back.</summary>
    /// <param name="exception">The exception of its caller. Default: null, which means <see cref="ErrorCode.StoreUnavailable"/>.</param>
    public void FailNext(Exception? exception = null) =>
        _next.Enqueue(
            new CommitFault(null, exception ?? new DunlinException(ErrorCode.StoreUnavailable, "Injected: the commit failed."), null)
        );

    /// <summary>Makes the next commit succeed and be announced, although its caller gets an exception and does not know the
    /// outcome.</summary>
    /// <param name="exception">The exception of its caller. Default: null, which means <see cref="ErrorCode.OutcomeUnknown"/>.</param>
    public void LoseNextReply(Exception? exception = null) =>
        _next.Enqueue(
            new CommitFault(null, null, exception ?? new DunlinException(ErrorCode.OutcomeUnknown, "Injected: the reply was lost."))
        );

    internal CommitFault Take() => _next.TryDequeue(out var fault) ? fault : default;
}

/// <summary>One fault. The default value means no fault.</summary>
internal readonly record struct CommitFault(CommitGate? Gate, Exception? Before, Exception? After);

/// <summary>Holds a commit. Thread-safe.</summary>
public sealed class CommitGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes when the commit has reached the gate: its work is done, but it is not committed.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Releases the commit.</summary>
    public void Release() => _released.TrySetResult();

    internal Task PassAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}
