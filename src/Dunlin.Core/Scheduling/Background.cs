namespace Dunlin.Scheduling;

/// <summary>Starts background work on the thread pool, and draws random numbers. Thread-safe.</summary>
/// <remarks>
/// The one seam of the simulator: on a thread that simulates, work goes to the current task scheduler, and numbers come from the seed. All
/// other threads pay for one read of a thread-static field. An engine type must not use <see cref="Task.Run(Action)"/>,
/// <see cref="ThreadPool"/> or <see cref="System.Random.Shared"/> itself.
/// </remarks>
internal static class Background
{
    [ThreadStatic]
    private static Random? t_seeded;

    /// <summary>Gets the source for jitter: <see cref="System.Random.Shared"/>, or the seeded source of this thread's simulation.</summary>
    public static Random Random => t_seeded ?? Random.Shared;

    /// <summary>Gets the option of a task source whose task other tasks wait for, as with <c>WaitAsync</c>.</summary>
    /// <remarks>Its continuations never run inside the call that completes it. The scheduler of a simulation ensures that itself.</remarks>
    public static TaskCreationOptions Continuations =>
        t_seeded is null ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None;

    /// <summary>Gets the option with which an await continues outside the caller's context, but on the scheduler of a simulation.</summary>
    public static ConfigureAwaitOptions Context =>
        t_seeded is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ContinueOnCapturedContext;

    /// <summary>Makes this thread a simulation, or an ordinary thread again.</summary>
    /// <param name="seeded">The source of random numbers; null ends the simulation.</param>
    public static void Simulate(Random? seeded) => t_seeded = seeded;

    /// <summary>Runs asynchronous work without the caller.</summary>
    /// <param name="work">The work. Its exceptions are in the returned task.</param>
    public static Task Run(Func<Task> work) => t_seeded is null ? Task.Run(work) : Start(work).Unwrap();

    /// <summary>Queues a callback without the caller's execution context.</summary>
    /// <param name="work">The callback. It must not throw.</param>
    /// <param name="state">The argument of the callback.</param>
    /// <typeparam name="T">The type of the argument.</typeparam>
    public static void Queue<T>(Action<T> work, T state)
    {
        if (t_seeded is null)
            ThreadPool.UnsafeQueueUserWorkItem(work, state, preferLocal: false);
        else
            Detach(() => work(state));
    }

    /// <summary>Queues a reused work item without the caller's execution context.</summary>
    /// <param name="work">The work item. It must not throw.</param>
    /// <param name="preferLocal">Whether to prefer the queue of the current thread of the thread pool.</param>
    public static void Queue(IThreadPoolWorkItem work, bool preferLocal = false)
    {
        if (t_seeded is null)
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal);
        else
            Detach(work.Execute);
    }

    /// <summary>Cancels a source. Its callbacks run without the caller.</summary>
    /// <param name="source">The source.</param>
    public static Task CancelAsync(CancellationTokenSource source) => t_seeded is null ? source.CancelAsync() : Start(source.Cancel);

    private static void Detach(Action work)
    {
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
            _ = Start(work);
    }

    private static Task Start(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current);

    private static Task<Task> Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current);
}
