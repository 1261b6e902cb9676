using System.Collections.Concurrent;
using Dunlin.Diagnostics;

namespace Dunlin.TestKit;

/// <summary>What goes wrong with the next commits, in the order it was asked for; a commit without a fault goes through.
/// Shared by <see cref="FaultyJournal"/> and <see cref="FaultyStore"/>. Safe for concurrent use.</summary>
public sealed class CommitFaults
{
    private readonly ConcurrentQueue<CommitFault> _next = new();

    /// <summary>The next commit waits until it is released.</summary>
    public CommitGate HoldNext()
    {
        var gate = new CommitGate();
        _next.Enqueue(new CommitFault(gate, null, null));
        return gate;
    }

    /// <summary>The next commit fails; nothing of it is kept.</summary>
    public void FailNext(Exception? exception = null) =>
        _next.Enqueue(
            new CommitFault(null, exception ?? new DunlinException(ErrorCode.StoreUnavailable, "Injected: the commit failed."), null)
        );

    /// <summary>The next commit succeeds and is announced, but its writer gets an error: for it, the outcome is unknown.</summary>
    public void LoseNextReply(Exception? exception = null) =>
        _next.Enqueue(
            new CommitFault(null, null, exception ?? new DunlinException(ErrorCode.OutcomeUnknown, "Injected: the reply was lost."))
        );

    internal CommitFault Take() => _next.TryDequeue(out var fault) ? fault : default;
}

/// <summary>One fault; the default value is none.</summary>
internal readonly record struct CommitFault(CommitGate? Gate, Exception? Before, Exception? After);

/// <summary>A commit that is held back.</summary>
public sealed class CommitGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the commit has come this far: its work is done, it is not committed.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets it go on.</summary>
    public void Release() => _released.TrySetResult();

    internal Task PassAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}
