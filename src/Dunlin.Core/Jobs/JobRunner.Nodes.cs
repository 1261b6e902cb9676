namespace Dunlin.Jobs;

/// <content>The claims of other nodes, for <see cref="JobNodes"/>.</content>
internal sealed partial class JobRunner
{
    // Running jobs that other nodes claimed, as last read, by job id. A cache: a claim that has ended since is refused by the store.
    private readonly Dictionary<string, JobInfo> _foreign = new(StringComparer.Ordinal);

    /// <summary>Raised when this node begins to run jobs, or learns of a claim of another node. Raised under a lock.</summary>
    public event Action? ClaimsChanged;

    public TimeSpan NodeTimeout => _type.Options.NodeTimeout;

    public bool RunsJobs
    {
        get
        {
            lock (_gate)
                return _runningCount > 0;
        }
    }

    public bool HasForeignClaims
    {
        get
        {
            lock (_gate)
                return _foreign.Count > 0;
        }
    }

    /// <summary>Returns the other nodes that run jobs of this type, as far as this node knows.</summary>
    public IReadOnlyList<string> ForeignWorkers()
    {
        lock (_gate)
            return [.. _foreign.Values.Select(static job => job.Worker!).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Makes the jobs of a node that has ended due at once. The fencing token makes sure that only those claims are
    /// replaced.</summary>
    /// <returns>The number of jobs.</returns>
    public int TakeOver(string worker)
    {
        lock (_gate)
        {
            var jobs = _foreign.Values.Where(job => string.Equals(job.Worker, worker, StringComparison.Ordinal)).ToList();
            foreach (var job in jobs)
            {
                _foreign.Remove(job.Id);
                _orphans[job.Id] = job.Fence;
                _schedule.Set(Scheduled(job));
            }
            if (jobs.Count > 0)
                Wake();
            return jobs.Count;
        }
    }

    // Requires _gate.
    private void Set(JobInfo job)
    {
        _schedule.Set(Scheduled(job));
        if (NodeTimeout == TimeSpan.Zero)
            return;
        var isForeign = job is { State: JobState.Running, Worker: { } worker } && !string.Equals(worker, _nodeId, StringComparison.Ordinal);
        if (isForeign && _orphans.GetValueOrDefault(job.Id) != job.Fence)
        {
            var isNew = _foreign.TryAdd(job.Id, job);
            _foreign[job.Id] = job;
            if (isNew)
                ClaimsChanged?.Invoke();
        }
        else
        {
            _foreign.Remove(job.Id);
        }
    }

    // Requires _gate.
    private void Forget(string id)
    {
        _schedule.Remove(id);
        _foreign.Remove(id);
    }

    // Returns 0 if there is none. No claim has token 0.
    private long OrphanedFence(string id)
    {
        lock (_gate)
            return _orphans.GetValueOrDefault(id);
    }

    private void ForgetOrphan(string id)
    {
        lock (_gate)
            _orphans.Remove(id);
    }

    private void SetNextPoll(DateTimeOffset at)
    {
        lock (_gate)
            _nextPoll = at;
    }

    /// <summary>Polls the journal soon after a step of another node, which may be a claim of a node that ends right after it.</summary>
    private void PollSoon()
    {
        lock (_gate)
        {
            var soon = _clock.Now + (NodeTimeout / JobNodes.RoundsOfTimeout);
            if (NodeTimeout == TimeSpan.Zero || _nextPoll <= soon)
                return;
            _nextPoll = soon;
            Wake();
        }
    }
}
