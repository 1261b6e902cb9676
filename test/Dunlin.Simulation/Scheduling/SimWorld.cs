using Dunlin.Scheduling;

namespace Dunlin.Simulation.Scheduling;

/// <summary>Runs all tasks of a simulation on one thread, in an order that the seed decides, in virtual time. Not thread-safe.</summary>
/// <remarks>
/// Each step runs one ready task, chosen at random. If none is ready, time jumps to the next timer. Every step enters the digest, so two
/// runs of one seed have equal digests exactly if they made the same steps.
/// </remarks>
internal sealed class SimWorld : IDisposable
{
    private readonly List<(SimScheduler Owner, Task Task)> _ready = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private SimulationException? _failure;
    private ulong _digest = 14695981039346656037;

    public SimWorld(int seed, double stall)
    {
        Random = new Random(seed);
        Stall = stall;
        Time = new SimTime(this);
        Clients = new SimScheduler(this, 0, "clients");
        Background.Simulate(Random);
    }

    /// <summary>Gets the only source of random numbers of the run.</summary>
    public Random Random { get; }

    /// <summary>Gets or sets the probability that a timer fires although tasks are ready, as on a busy processor.</summary>
    public double Stall { get; set; }

    public SimTime Time { get; }

    /// <summary>Gets the scheduler of the clients, which never crashes.</summary>
    public SimScheduler Clients { get; }

    public SimTrace Trace { get; } = new();

    public long Steps { get; private set; }

    public ulong Digest => _digest;

    /// <summary>Gets the stack of a task that another thread queued; null if there was none. The run then proves nothing.</summary>
    public string? Escape { get; private set; }

    /// <summary>Ends the run with a broken invariant, even if the code that is running catches the exception.</summary>
    public SimulationException Fail(string check, string message) => _failure ??= new SimulationException(check, message);

    public bool Chance(double probability) => probability > 0 && Random.NextDouble() < probability;

    /// <summary>Returns a random time from zero up to a limit, mostly a small part of it.</summary>
    public TimeSpan Upto(TimeSpan limit)
    {
        var part = Random.NextDouble();
        return limit * (part * part * part);
    }

    public Task DelayAsync(TimeSpan delay) => Task.Delay(delay, Time);

    /// <summary>Runs until the work has completed, and afterwards until the virtual time has passed.</summary>
    /// <exception cref="SimulationException">The work failed, did not complete, or a task left the thread of the simulation.</exception>
    public void Run(Func<Task> work, long maxSteps)
    {
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Clients).Unwrap();
        var limit = Steps + maxSteps;
        while (!task.IsCompleted)
        {
            if (Steps >= limit)
                throw new SimulationException("quiesce", $"The run did not end within {maxSteps} steps.");
            if (!Step())
                throw new SimulationException("quiesce", "No task is ready and no timer is armed, but the run has not ended.");
            if (_failure is not null)
                throw _failure;
            if (Escape is { } stack)
                throw new SimulationException("escape", "A task was queued by another thread: " + stack);
        }
        task.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        Background.Simulate(null);
        Clients.Kill();
    }

    internal void Queue(SimScheduler owner, Task task)
    {
        if (Environment.CurrentManagedThreadId != _thread)
            Escape ??= Environment.StackTrace;
        else
            _ready.Add((owner, task));
    }

    internal void Mix(long value)
    {
        for (var i = 0; i < 64; i += 16)
            _digest = (_digest ^ (ulong)((value >> i) & 0xffff)) * 1099511628211;
    }

    private bool Step()
    {
        Steps++;
        if (_ready.Count == 0 || (Stall > 0 && Chance(Stall)))
        {
            if (Time.FireNext())
                return true;
            if (_ready.Count == 0)
                return false;
        }
        // Work takes time: a loop that waits for the clock must end.
        Time.Pass(Random.Next(100));
        var index = Random.Next(_ready.Count);
        var (owner, task) = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        Mix((owner.Id * 1_000_003L) + index);
        Mix(Time.Ticks);
        owner.Execute(task);
        return true;
    }
}
