namespace Dunlin.Jobs;

/// <summary>A job in the schedule of a node: its due time and its keys.</summary>
/// <param name="id">The job id.</param>
/// <param name="due">The time at which a worker must act on the job.</param>
/// <param name="version">The journal offset of the state on which this entry is based.</param>
/// <param name="fairnessKey">The fairness key; null for none.</param>
/// <param name="concurrencyKey">The concurrency key; null for none.</param>
internal sealed class ScheduledJob(string id, DateTimeOffset due, long version, string? fairnessKey, string? concurrencyKey)
{
    public string Id => id;

    public DateTimeOffset Due => due;

    public long Version => version;

    public string? FairnessKey => fairnessKey;

    public string? ConcurrencyKey => concurrencyKey;

    /// <summary>Gets or sets whether the job is due and waits for its turn.</summary>
    public bool IsReady { get; set; }
}

/// <summary>The due times of jobs as known to this node. A cache: the store is authoritative. Not thread-safe.</summary>
/// <remarks>A job waits here until it is due, then in <see cref="JobTurns"/> for its turn.</remarks>
internal sealed class JobSchedule(JobOptions options)
{
    private readonly Dictionary<string, ScheduledJob> _jobs = new(StringComparer.Ordinal);

    // Superseded entries stay until they reach the top: removing from the middle of a heap takes linear time.
    private readonly PriorityQueue<ScheduledJob, DateTimeOffset> _later = new();
    private readonly JobTurns _turns = new(options.MaxParallelPerFairnessKey, options.MaxParallelPerConcurrencyKey);

    /// <summary>Adds or updates a job, unless a later version is known.</summary>
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

    /// <summary>Returns whether this version of the job or a later one is known.</summary>
    public bool Knows(string id, long version) => _jobs.TryGetValue(id, out var known) && known.Version >= version;

    /// <summary>
    /// Returns when a worker can start the next job: a past time if one can start now, null if none can without a change.
    /// </summary>
    public DateTimeOffset? NextAt(DateTimeOffset now)
    {
        CallDue(now);
        if (_turns.Peek() is { } job)
            return job.Due;
        return _later.TryPeek(out _, out var due) ? due : null;
    }

    /// <summary>
    /// Removes and returns the due job whose turn it is; null if there is none. Its keys stay in use until <see cref="Release"/>.
    /// </summary>
    public ScheduledJob? TakeDue(DateTimeOffset now)
    {
        CallDue(now);
        if (_turns.Take() is not { } job)
            return null;
        _jobs.Remove(job.Id);
        return job;
    }

    /// <summary>Releases the keys of a job returned by <see cref="TakeDue"/>.</summary>
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
