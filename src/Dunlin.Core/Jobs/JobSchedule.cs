namespace Dunlin.Jobs;

/// <summary>One job as a node remembers it: when it needs a worker, and the keys that its worker counts against.</summary>
/// <param name="id">The job.</param>
/// <param name="due">When there is something to do for a worker.</param>
/// <param name="version">The journal offset of the state that this is known from.</param>
/// <param name="fairnessKey">Whose turn it takes; null for none.</param>
/// <param name="concurrencyKey">What it uses; null for nothing that is limited.</param>
internal sealed class ScheduledJob(string id, DateTimeOffset due, long version, string? fairnessKey, string? concurrencyKey)
{
    public string Id => id;

    public DateTimeOffset Due => due;

    public long Version => version;

    public string? FairnessKey => fairnessKey;

    public string? ConcurrencyKey => concurrencyKey;

    /// <summary>Whether it waits for its turn, rather than for its time.</summary>
    public bool IsReady { get; set; }
}

/// <summary>
/// When which job needs a worker, as this node knows it: a memory of what the store holds, never the truth. Jobs wait for their
/// time here, and then for their turn in <see cref="JobTurns"/>. Not safe for concurrent use.
/// </summary>
internal sealed class JobSchedule(JobOptions options)
{
    private readonly Dictionary<string, ScheduledJob> _jobs = new(StringComparer.Ordinal);

    // Superseded jobs stay until they come up: removal from the middle of a heap is linear.
    private readonly PriorityQueue<ScheduledJob, DateTimeOffset> _later = new();
    private readonly JobTurns _turns = new(options.MaxParallelPerFairnessKey, options.MaxParallelPerConcurrencyKey);

    /// <summary>Notes a job, unless a later version of it is known.</summary>
    public void Set(ScheduledJob job)
    {
        if (_jobs.TryGetValue(job.Id, out var known))
        {
            if (known.Version > job.Version || (known.Version == job.Version && known.Due == job.Due))
                return;
            if (known.IsReady)
                _turns.Remove(known);
        }
        _jobs[job.Id] = job;
        _later.Enqueue(job, job.Due);
    }

    public void Remove(string id)
    {
        if (_jobs.Remove(id, out var known) && known.IsReady)
            _turns.Remove(known);
    }

    /// <summary>Whether this version of the job, or a later one, has been noted.</summary>
    public bool Knows(string id, long version) => _jobs.TryGetValue(id, out var known) && known.Version >= version;

    /// <summary>When a worker can next begin a job: in the past where one can begin now, null where none will without a change.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now)
    {
        CallDue(now);
        if (_turns.Peek() is { } job)
            return job.Due;
        return _later.TryPeek(out _, out var due) ? due : null;
    }

    /// <summary>Takes the due job whose turn it is; null where there is none. Its keys stay in use until <see cref="Release"/>.</summary>
    public ScheduledJob? TakeDue(DateTimeOffset now)
    {
        CallDue(now);
        if (_turns.Take() is not { } job)
            return null;
        _jobs.Remove(job.Id);
        return job;
    }

    /// <summary>Gives back the keys of a job that was taken.</summary>
    public void Release(ScheduledJob job) => _turns.Release(job);

    private void CallDue(DateTimeOffset now)
    {
        while (_later.TryPeek(out var job, out var due) && (due <= now || !IsCurrent(job)))
        {
            _later.Dequeue();
            if (IsCurrent(job))
                _turns.Add(job);
        }
    }

    private bool IsCurrent(ScheduledJob job) => _jobs.TryGetValue(job.Id, out var known) && ReferenceEquals(known, job);
}
