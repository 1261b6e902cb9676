namespace Dunlin.Simulation.Scheduling;

/// <summary>The tasks of one simulated process. A crash drops all of them and runs no <c>finally</c>.</summary>
internal sealed class SimScheduler(SimWorld world, int id, string name) : TaskScheduler
{
    private List<Task>? _paused;

    public new int Id { get; } = id;

    public string Name { get; } = name;

    public bool IsDead { get; private set; }

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Drops all tasks and timers of the process, now and later.</summary>
    public void Kill()
    {
        IsDead = true;
        _paused = null;
    }

    /// <summary>Stops the process for a time, as a collection of garbage or a suspended machine does.</summary>
    public void Pause(TimeSpan duration)
    {
        if (IsDead || _paused is not null)
            return;
        _paused = [];
        world.Time.CallAfter(
            duration,
            () =>
            {
                var tasks = _paused ?? [];
                _paused = null;
                foreach (var task in tasks)
                    QueueTask(task);
            }
        );
    }

    public Task Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    public Task<T> Start<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    public void Post(Action work) => _ = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this);

    internal void Execute(Task task)
    {
        if (IsDead)
            return;
        if (_paused is { } paused)
            paused.Add(task);
        else
            TryExecuteTask(task);
    }

    protected override void QueueTask(Task task)
    {
        if (!IsDead)
            world.Queue(this, task);
    }

    // Never inline: a continuation must not run inside a lock of the code that completes its task.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
