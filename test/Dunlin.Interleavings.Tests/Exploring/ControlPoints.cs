using System.Runtime.CompilerServices;

namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>What rewritten code calls at its scheduling points. On a thread that no run controls, each point does what it
/// replaces.</summary>
/// <remarks>A real lock is taken too, after the run has granted it. It is never contended, and code that is not rewritten respects
/// it.</remarks>
public static class ControlPoints
{
    [ThreadStatic]
    private static ControlledThread? t_current;

    internal static ControlledThread? Current
    {
        get => t_current;
        set => t_current = value;
    }

    /// <summary>A scheduling point before an access of a field that threads share without a common lock.</summary>
    public static void Access(object? owner, string field, string where, bool changes)
    {
        if (t_current is not { Run.IsBranching: true } thread)
            return;
        if (thread.Run.Fields.Contains(field))
            thread.Run.Point(thread, changes ? "change of " : "read of ", field, where);
        else
            thread.Run.Record(thread, owner, field, changes);
    }

    /// <summary>Records the access of an atomic operation, which has its own point.</summary>
    public static void Record(object? owner, string field, string where, bool changes)
    {
        if (t_current is { Run.IsBranching: true } thread)
            thread.Run.Record(thread, owner, field, changes);
    }

    /// <summary>A scheduling point before an atomic operation.</summary>
    public static void Atomic(string operation, string where) => t_current?.Run.Point(t_current, operation, "", where);

    /// <summary>Tells where the point that follows is, for the printed schedule.</summary>
    public static void At(string where)
    {
        if (t_current is { } thread)
            thread.Place = where;
    }

    [Replaces("System.Threading.Lock.EnterScope()")]
    public static Lock.Scope EnterScope(Lock gate)
    {
        t_current?.Run.Acquire(t_current, gate);
        return gate.EnterScope();
    }

    [Replaces("System.Threading.Lock+Scope.Dispose()")]
    public static void ExitScope(ref Lock.Scope scope)
    {
        scope.Dispose();
        // Scopes are nested, so the last granted lock is the one of this scope.
        if (t_current is { Held.Count: > 0 } thread)
            thread.Run.Release(thread, thread.Held[^1]);
    }

    [Replaces("System.Threading.Monitor.Enter(Object,Boolean&)")]
    public static void MonitorEnter(object gate, ref bool taken)
    {
        t_current?.Run.Acquire(t_current, gate);
        Monitor.Enter(gate, ref taken);
    }

    [Replaces("System.Threading.Monitor.Exit(Object)")]
    public static void MonitorExit(object gate)
    {
        Monitor.Exit(gate);
        t_current?.Run.Release(t_current, gate);
    }

    [Replaces("System.Threading.Monitor.Wait(Object)")]
    public static bool MonitorWait(object gate)
    {
        if (t_current is not { } thread)
            return Monitor.Wait(gate);
        Monitor.Exit(gate);
        thread.Run.Wait(thread, gate);
        Monitor.Enter(gate);
        return true;
    }

    [Replaces("System.Threading.Monitor.Pulse(Object)")]
    public static void MonitorPulse(object gate)
    {
        if (t_current is { } thread)
            thread.Run.Pulse(gate, all: false);
        else
            Monitor.Pulse(gate);
    }

    [Replaces("System.Threading.Monitor.PulseAll(Object)")]
    public static void MonitorPulseAll(object gate)
    {
        if (t_current is { } thread)
            thread.Run.Pulse(gate, all: true);
        else
            Monitor.PulseAll(gate);
    }

    [Replaces("System.Threading.SemaphoreSlim.WaitAsync(CancellationToken)")]
    public static Task WaitAsync(SemaphoreSlim semaphore, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(semaphore);
        if (t_current is not { } thread)
            return semaphore.WaitAsync(cancellationToken);
        thread.Run.Point(thread, "SemaphoreSlim.WaitAsync", "", "");
        return thread.Run.QueueOf(semaphore).WaitAsync(cancellationToken);
    }

    [Replaces("System.Threading.SemaphoreSlim.WaitAsync()")]
    public static Task WaitAsync(SemaphoreSlim semaphore) => WaitAsync(semaphore, CancellationToken.None);

    [Replaces("System.Threading.SemaphoreSlim.Release()")]
    public static int Release(SemaphoreSlim semaphore)
    {
        ArgumentNullException.ThrowIfNull(semaphore);
        if (t_current is not { } thread)
            return semaphore.Release();
        thread.Run.Point(thread, "SemaphoreSlim.Release", "", "");
        return thread.Run.QueueOf(semaphore).Release();
    }

    [Replaces("System.Threading.Tasks.Task.Run(Func`1)")]
    public static Task Run(Func<Task> work) =>
        t_current is null ? Task.Run(work) : Task.Factory.StartNew(work, default, default, TaskScheduler.Current).Unwrap();

    /// <inheritdoc cref="Run(Func{Task})"/>
    [Replaces("System.Threading.Tasks.Task.Run`1(Func`1)")]
    public static Task<T> Run<T>(Func<Task<T>> work) =>
        t_current is null ? Task.Run(work) : Task.Factory.StartNew(work, default, default, TaskScheduler.Current).Unwrap();

    /// <summary>Continues on the scheduler of the run, which would otherwise not control the continuation.</summary>
    [Replaces("System.Threading.Tasks.Task.ConfigureAwait(ConfigureAwaitOptions)")]
    public static ConfiguredTaskAwaitable ConfigureAwait(Task task, ConfigureAwaitOptions options)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.ConfigureAwait(t_current is null ? options : options | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    [Replaces("System.Threading.ThreadPool.UnsafeQueueUserWorkItem`1(Action`1,!!0,Boolean)")]
    public static bool Queue<T>(Action<T> work, T state, bool preferLocal)
    {
        if (t_current is null)
            return ThreadPool.UnsafeQueueUserWorkItem(work, state, preferLocal);
        _ = Task.Factory.StartNew(() => work(state), default, default, TaskScheduler.Current);
        return true;
    }

    [Replaces("System.Threading.Thread.Yield()")]
    public static bool Yield()
    {
        t_current?.Run.Point(t_current, "Thread.Yield", "", "");
        return true;
    }

    /// <summary>Lets the other threads run first: the condition of a spinning thread changes only through them.</summary>
    [Replaces("System.Threading.SpinWait.SpinOnce()")]
    public static void SpinOnce(ref SpinWait spin)
    {
        if (t_current is { } thread)
            thread.Run.Spin(thread);
        else
            spin.SpinOnce();
    }
}
