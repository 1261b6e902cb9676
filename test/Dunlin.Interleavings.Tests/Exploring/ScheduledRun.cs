namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>One schedule of a scenario: threads of which exactly one runs, until it reaches a scheduling point.</summary>
/// <remarks>Only the running thread uses the members, and the semaphore of the next one publishes its changes.</remarks>
internal sealed class ScheduledRun
{
    private const int MaxSteps = 20_000;
    private static readonly TimeSpan Watchdog = TimeSpan.FromSeconds(30);

    private readonly IChooser _chooser;
    private readonly List<ControlledThread> _threads = [];
    private readonly Dictionary<object, (ControlledThread Owner, int Count)> _locks = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<object, List<ControlledThread>> _pulsable = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<SemaphoreSlim, SemaphoreQueue> _queues = new(ReferenceEqualityComparer.Instance);
    private readonly AccessRecord _accesses = new();
    private readonly List<ControlledThread> _options = [];
    private readonly List<(int Thread, (string Where, string What, string Subject) Operation)> _trace = [];
    private readonly SemaphoreSlim _over = new(0);

    /// <summary>Creates a run.</summary>
    /// <param name="chooser">Decides which thread continues.</param>
    /// <param name="fields">The fields with scheduling points.</param>
    public ScheduledRun(IChooser chooser, IReadOnlySet<string> fields)
    {
        (_chooser, Fields) = (chooser, fields);
        Scheduler = new ControlledScheduler(this);
    }

    public ControlledScheduler Scheduler { get; }

    public Random Random { get; } = new(0);

    public IReadOnlySet<string> Fields { get; }

    /// <summary>Gets the shared fields without a common lock that have no scheduling points yet.</summary>
    public IReadOnlySet<string> NewFields => _accesses.Shared;

    /// <summary>Gets whether the chooser decides. While a scenario is prepared or checked, there is one order only.</summary>
    public bool IsBranching { get; private set; }

    /// <summary>Gets what is wrong; null if nothing is.</summary>
    public string? Failure { get; private set; }

    public int Steps { get; private set; }

    /// <summary>Gets the operations in their order.</summary>
    public IEnumerable<string> Trace => _trace.Select(step => $"{_threads[step.Thread].Name}: {Text(step.Operation)}");

    /// <summary>Runs threads until none can continue.</summary>
    public void RunPhase(bool isBranching, IReadOnlyList<(string Name, Func<Task> Body)> bodies)
    {
        if (Failure is not null)
            return;
        var started = bodies.Select(body => (body.Name, Task: Scheduler.Start(body.Name, body.Body))).ToList();
        IsBranching = isBranching;
        Switch(null);
        if (!_over.Wait(Watchdog))
        {
            Failure ??= "A thread waits for something that the run does not control.";
            return;
        }
        IsBranching = false;
        foreach (var (name, task) in started)
        {
            if (task.IsFaulted)
                Failure ??= $"Thread '{name}' failed: {task.Exception.InnerException}";
            else if (!task.IsCompleted)
                Failure ??= $"Lost wake-up: thread '{name}' waits for ever.";
        }
    }

    /// <summary>Ends the run. The caller and all other threads stay where they are.</summary>
    public void Fail(string failure)
    {
        Failure ??= failure;
        _over.Release();
        ControlPoints.Current?.AwaitTurn();
    }

    public void Spawn(string? name, Action body) =>
        _threads.Add(new ControlledThread(this, _threads.Count, name ?? $"task {_threads.Count}", body));

    /// <summary>Lets the chooser decide which thread continues, before the caller does an operation.</summary>
    public void Point(ControlledThread self, string operation, string subject, string where)
    {
        if (++Steps > MaxSteps)
            Fail($"No end after {MaxSteps} steps.");
        // Texts are made when they are printed: most schedules are not.
        self.Next = (where.Length == 0 ? self.Place : where, operation, subject);
        Switch(self);
        if (IsBranching)
            _trace.Add((self.Id, self.Next));
    }

    /// <summary>Grants a lock, once no other thread has it.</summary>
    /// <typeparam name="T">The type of the lock: the compiler warns of conversions of <see cref="Lock"/>.</typeparam>
    public void Acquire<T>(ControlledThread self, T gate)
        where T : class
    {
        self.Condition = () => !_locks.TryGetValue(gate, out var taken) || taken.Owner == self;
        Point(self, "lock ", "", "");
        self.Condition = null;
        _locks[gate] = (self, _locks.TryGetValue(gate, out var held) ? held.Count + 1 : 1);
        self.Held.Add(gate);
    }

    public void Release(ControlledThread self, object gate)
    {
        self.Held.RemoveAt(self.Held.LastIndexOf(gate));
        var count = _locks[gate].Count - 1;
        if (count == 0)
            _locks.Remove(gate);
        else
            _locks[gate] = (self, count);
    }

    /// <summary>Releases a lock until another thread pulses, then takes it again.</summary>
    public void Wait(ControlledThread self, object gate)
    {
        Release(self, gate);
        if (!_pulsable.TryGetValue(gate, out var waiting))
            _pulsable.Add(gate, waiting = []);
        waiting.Add(self);
        self.Condition = () => !waiting.Contains(self) && !_locks.ContainsKey(gate);
        Point(self, "Monitor.Wait", "", "");
        self.Condition = null;
        _locks[gate] = (self, 1);
        self.Held.Add(gate);
    }

    public void Pulse(object gate, bool all)
    {
        if (_pulsable.TryGetValue(gate, out var waiting) && waiting.Count > 0)
            waiting.RemoveRange(0, all ? waiting.Count : 1);
    }

    public void Spin(ControlledThread self)
    {
        self.IsSpinning = true;
        Point(self, "spin", "", "");
        self.IsSpinning = false;
    }

    public SemaphoreQueue QueueOf(SemaphoreSlim semaphore)
    {
        if (!_queues.TryGetValue(semaphore, out var queue))
            _queues.Add(semaphore, queue = new SemaphoreQueue(semaphore));
        return queue;
    }

    public void Record(ControlledThread self, object? owner, string field, bool changes) =>
        _accesses.Add(self.Id, owner, field, changes, self.Held);

    public void OnDone(ControlledThread self)
    {
        self.IsDone = true;
        if (self.Held.Count > 0)
            Fail($"Thread '{self.Name}' ended with a lock.");
        else
            Switch(self);
    }

    private static string Text((string Where, string What, string Subject) operation) =>
        operation.Where.Length == 0 ? operation.What : $"{operation.Where}: {operation.What}{operation.Subject}";

    private void Switch(ControlledThread? self)
    {
        if (Failure is not null)
        {
            ControlPoints.Current?.AwaitTurn();
            return;
        }
        ControlledThread? next;
        try
        {
            next = Choose(self);
        }
        catch (InvalidOperationException error) when (self is not null)
        {
            Fail(error.Message);
            return;
        }
        if (next == self)
            return;
        if (next is not null)
            next.Continue();
        else if (_threads.TrueForAll(static thread => thread.IsDone))
            _over.Release();
        else
            Fail(
                "Deadlock: "
                    + string.Join("; ", _threads.Where(static t => !t.IsDone).Select(static t => $"'{t.Name}' waits at {Text(t.Next)}"))
            );
        if (self is { IsDone: false })
            self.AwaitTurn();
    }

    private ControlledThread? Choose(ControlledThread? self)
    {
        _options.Clear();
        var continues = self is { IsSpinning: false, CanContinue: true };
        if (continues)
            _options.Add(self!);
        foreach (var thread in _threads)
        {
            if (thread != self && !thread.IsSpinning && thread.CanContinue)
                _options.Add(thread);
        }
        if (_options.Count == 0)
            _options.AddRange(_threads.Where(static thread => thread is { IsSpinning: true, CanContinue: true }));
        return _options.Count switch
        {
            0 => null,
            1 => _options[0],
            _ when !IsBranching => _options[0],
            _ => _options[_chooser.Choose(_options, continues)],
        };
    }
}
