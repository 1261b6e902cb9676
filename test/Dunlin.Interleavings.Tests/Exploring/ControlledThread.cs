using System.Collections.Concurrent;
using Dunlin.Scheduling;

namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>A thread of which a run decides when it continues. Real threads are reused by later runs.</summary>
internal sealed class ControlledThread(ScheduledRun run, int id, string name, Action body)
{
    private static readonly ConcurrentBag<Worker> Idle = [];
    private Worker? _worker;

    public ScheduledRun Run => run;

    public int Id => id;

    public string Name => name;

    /// <summary>Gets the locks that the run has granted, one entry for each entrance.</summary>
    public List<object> Held { get; } = [];

    /// <summary>Gets or sets what must hold before the thread can continue; null if nothing.</summary>
    public Func<bool>? Condition { get; set; }

    /// <summary>Gets or sets the operation that the thread does when it continues.</summary>
    public (string Where, string What, string Subject) Next { get; set; } = ("", "start", "");

    /// <summary>Gets or sets the method of the last replaced call.</summary>
    public string Place { get; set; } = "";

    public bool IsDone { get; set; }

    /// <summary>Gets or sets whether the thread spins: the others continue first.</summary>
    public bool IsSpinning { get; set; }

    public bool CanContinue => !IsDone && Condition?.Invoke() != false;

    /// <summary>Lets the thread continue on its own.</summary>
    public void Continue()
    {
        if (_worker is null)
        {
            _worker = Idle.TryTake(out var idle) ? idle : new Worker();
            _worker.Thread = this;
        }
        _worker.Turn.Release();
    }

    /// <summary>Waits for <see cref="Continue"/>.</summary>
    public void AwaitTurn() => _worker!.Turn.Wait();

    private sealed class Worker
    {
        public Worker() => new Thread(Loop) { IsBackground = true, Name = "controlled" }.UnsafeStart();

        public SemaphoreSlim Turn { get; } = new(0);

        public ControlledThread? Thread { get; set; }

        private void Loop()
        {
            while (true)
            {
                Turn.Wait();
                var thread = Thread!;
                ControlPoints.Current = thread;
                Background.Simulate(thread.Run.Random);
                thread.Execute();
                Background.Simulate(null);
                ControlPoints.Current = null;
                Thread = null;
                // Before the run continues, so that the next thread reuses this one.
                Idle.Add(this);
                thread.Run.OnDone(thread);
            }
        }
    }

    private void Execute()
    {
        try
        {
            body();
        }
#pragma warning disable CA1031 // the run reports it
        catch (Exception error)
#pragma warning restore CA1031
        {
            run.Fail($"Thread '{Name}' failed: {error}");
        }
    }
}
