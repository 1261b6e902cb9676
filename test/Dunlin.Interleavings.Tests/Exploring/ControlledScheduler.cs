namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>Makes each task and each continuation a thread of a run. Never runs one inside the call that completes another.</summary>
internal sealed class ControlledScheduler(ScheduledRun run) : TaskScheduler
{
    private string? _name;

    /// <summary>Starts asynchronous work as a thread with a name.</summary>
    public Task Start(string name, Func<Task> work)
    {
        _name = name;
        // An await, because the completion of the work itself may reach the outer task through the thread pool.
        async Task AwaitAsync() => await work();
        return Task.Factory.StartNew(AwaitAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();
    }

    protected override void QueueTask(Task task)
    {
        if (_name is null && ControlPoints.Current is null)
        {
            run.Fail("A thread that the run does not control continues a task of it.");
            return;
        }
        run.Spawn(_name, () => TryExecuteTask(task));
        _name = null;
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
