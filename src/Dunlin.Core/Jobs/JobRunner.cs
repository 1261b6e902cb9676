using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>
/// Runs the jobs of one type on one node. The store holds the due times; this schedules the next look. It wakes on commits of
/// any node, and polls the journal for commits that no notification reached. Two nodes may claim one job; the transaction lets one win.
/// </summary>
internal sealed partial class JobRunner
{
    /// <summary>What the steps of a node begin with, as the origin of their events.</summary>
    public const string NodePrefix = "job-node:";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // guards all that follows, up to _followed
    private readonly JobSchedule _schedule;
    private readonly HashSet<string> _hints = new(StringComparer.Ordinal);
    private readonly List<TaskCompletionSource> _idlers = [];

    // Claims, by their fence, whose workers have ended with the process before this one: their time need not be waited for.
    private readonly Dictionary<string, long> _orphans = new(StringComparer.Ordinal);
    private TaskCompletionSource _wake = NewSignal();
    private bool _isParked;
    private bool _waitsOutFault; // of the store: nothing is done until the retry, a commit or a stop
    private int _runningCount;

    private readonly JobType _type;
    private readonly IStore _store;
    private readonly IJournal _journal;
    private readonly StoreClock _clock;
    private readonly JobInstruments _instruments;
    private readonly ILogger _logger;
    private readonly EventOrigin _origin;
    private readonly ITimer _timer;
    private bool _isAlone; // until the jobs have been read once: what is claimed then was claimed by a process that has ended
    private long _followed;
    private DateTimeOffset _nextPoll;

    public JobRunner(
        JobType type,
        IStore store,
        IJournal journal,
        StoreClock clock,
        JobInstruments instruments,
        ILogger logger,
        EventOrigin origin,
        bool isAlone
    )
    {
        (_type, _store, _journal, _clock, _instruments, _logger, _origin) = (type, store, journal, clock, instruments, logger, origin);
        _isAlone = isAlone;
        _schedule = new JobSchedule(type.Options);
        Topic = JobSpaces.Of(type.Name).Topic;
        _timer = clock.TimeProvider.CreateTimer(
            static runner => ((JobRunner)runner!).Wake(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    public string TypeName => _type.Name;

    public TopicName Topic { get; }

    /// <summary>For the commit feed: quick, and never throws.</summary>
    public void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Topic == Topic && !IsOwn(events[i]) && KeyOf(events[i]) is { } id)
                Hint(id);
        }
    }

    /// <summary>For the fan-out: quick, and never throws. The steps of other nodes need no look at once, since they do what they
    /// have begun; the journal tells of them in time for the end of their claims.</summary>
    public void OnHeard(DunlinEvent entry)
    {
        if (
            entry.Origin?.DeviceId?.StartsWith(NodePrefix, StringComparison.Ordinal) is not true
            && KeyOf(entry) is { } id
            && !Knows(id, entry.Position.Offset)
        )
            Hint(id);
    }

    /// <summary>Runs until stopped and its jobs have ended. It waits out faults itself: commits and ended jobs end the wait.</summary>
    public async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        await using var _ = stopping.UnsafeRegister(static runner => ((JobRunner)runner!).Wake(), this);
        var isLoaded = false;
        while (!stopping.IsCancellationRequested)
        {
            TimeSpan? retry = null;
            try
            {
                if (!isLoaded)
                    await LoadAsync(stopping);
                isLoaded = await FollowAsync(stopping);
                await LookAsync(stopping);
                StartDue(stopping);
                loop.ReportSuccess();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // the store may be away for a while; what is due stays due
            catch (Exception error)
#pragma warning restore CA1031
            {
                retry = loop.ReportFault(error);
            }
            await ParkAsync(retry, stopping);
        }
        await _timer.DisposeAsync();
        await StoppedAsync();
    }

    /// <summary>Completes when this runner runs nothing, and nothing that it knows of is due or it waits out a fault.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (IsIdle())
                return Task.CompletedTask;
            var idler = NewSignal();
            _idlers.Add(idler);
            return idler.Task;
        }
    }

    /// <summary>Reads every job once: at the start, and where the journal no longer tells what has changed.</summary>
    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        _followed = _journal.Head.Offset; // before reading, so that the journal tells of changes made meanwhile
        var space = JobSpaces.Of(_type.Name);
        RecordRow? last = null;
        while (true)
        {
            var page = await _store.ReadAsync(
                (scope, ct) =>
                    scope.RecordTables().Records.ReadAsync(new RecordQuery(space, last?.Version ?? 0, last?.Key, LivingOnly: true), ct),
                cancellationToken
            );
            foreach (var row in page)
            {
                var job = JobSpaces.Read(row);
                if (_isAlone && job.State == JobState.Running)
                {
                    lock (_gate)
                        _orphans[job.Id] = job.Fence;
                }
                Watch(job);
            }
            if (page.Count < RecordLimits.MaxPageRecords)
                break;
            last = page[^1];
        }
        _isAlone = false;
        _nextPoll = _clock.Now + _type.Options.PollInterval;
    }

    /// <summary>Asks the journal, when it is time, what other nodes have changed.</summary>
    /// <returns>False where the journal no longer knows, and everything must be read again.</returns>
    private async Task<bool> FollowAsync(CancellationToken cancellationToken)
    {
        if (_clock.Now < _nextPoll)
            return true;
        _nextPoll = _clock.Now + _type.Options.PollInterval;
        while (true)
        {
            var page = await _journal.ReadAsync(new JournalQuery(_followed, [Topic]), cancellationToken);
            if (page.Trimmed)
            {
                _nextPoll = default;
                return false;
            }
            foreach (var entry in page.Events)
            {
                if (!IsOwn(entry) && KeyOf(entry) is { } id && !Knows(id, entry.Position.Offset))
                    Hint(id);
            }
            _followed = page.Through;
            if (!page.HasMore)
                return true;
        }
    }

    /// <summary>Reads the jobs that were told of.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        string[] ids;
        lock (_gate)
        {
            // Taken out before the reading: what is told of during it is read once more.
            ids = [.. _hints];
            _hints.Clear();
        }
        if (ids.Length == 0)
            return;
        IReadOnlyList<(string Id, JobInfo? Job)> jobs;
        try
        {
            jobs = await _store.ReadAsync((scope, ct) => FindAsync(scope.Jobs(), ids, ct), cancellationToken);
        }
        catch
        {
            lock (_gate)
                _hints.UnionWith(ids);
            throw;
        }
        lock (_gate)
        {
            foreach (var (id, job) in jobs)
            {
                if (job is null)
                    _schedule.Remove(id);
                else
                    _schedule.Set(Scheduled(job));
            }
        }
    }

    private async ValueTask<IReadOnlyList<(string Id, JobInfo? Job)>> FindAsync(
        JobReader reader,
        string[] ids,
        CancellationToken cancellationToken
    )
    {
        var found = new List<(string Id, JobInfo? Job)>(ids.Length);
        foreach (var id in ids)
            found.Add((id, await reader.FindAsync(_type.Name, id, cancellationToken)));
        return found;
    }

    private void StartDue(CancellationToken stopping)
    {
        while (true)
        {
            ScheduledJob? job;
            lock (_gate)
            {
                job = _runningCount < _type.Options.MaxParallel ? _schedule.TakeDue(_clock.Now) : null;
                if (job is null)
                    return;
                _runningCount++;
            }
            // Not under the stopping token: what has been taken out of the schedule is always put back.
            _ = Task.Run(() => TakeAsync(job, stopping), CancellationToken.None);
        }
    }

    private async Task ParkAsync(TimeSpan? retry, CancellationToken stopping)
    {
        Task wake;
        lock (_gate)
        {
            // Whoever wakes does so under this lock: what came before it is seen here, what comes after finds a signal to set.
            if ((_hints.Count > 0 && retry is null) || stopping.IsCancellationRequested || !ArmTimer(retry))
                return;
            (_isParked, _waitsOutFault) = (true, retry is not null);
            _wake = NewSignal();
            wake = _wake.Task;
            if (IsIdle())
                ReleaseIdlers();
        }
        await wake;
    }

    // Only under _gate. False where something is due. The deadline is absolute, the timer relative: re-arm if time advanced.
    private bool ArmTimer(TimeSpan? retry)
    {
        while (true)
        {
            var now = _clock.Now;
            var sleep = retry ?? SleepFor(now);
            if (sleep == TimeSpan.Zero)
                return false;
            _timer.Change(sleep, Timeout.InfiniteTimeSpan);
            if (_clock.Now - now < TimeSpan.FromMilliseconds(1))
                return true;
        }
    }

    // Only under _gate. Never zero where all slots, or those of the keys of what is due, are taken: a slot that is given back wakes.
    private TimeSpan SleepFor(DateTimeOffset now)
    {
        var until = _nextPoll;
        if (_runningCount < _type.Options.MaxParallel && _schedule.NextAt(now) is { } next && next < until)
            until = next;
        return until <= now ? TimeSpan.Zero : until - now;
    }

    // Only under _gate.
    private bool IsIdle()
    {
        var now = _clock.Now;
        return _isParked && _runningCount == 0 && (_waitsOutFault || (_hints.Count == 0 && !(_schedule.NextAt(now) <= now)));
    }

    private void ReleaseIdlers()
    {
        foreach (var idler in _idlers)
            idler.TrySetResult();
        _idlers.Clear();
    }

    private async Task StoppedAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_runningCount == 0)
                {
                    ReleaseIdlers();
                    return;
                }
                _wake = NewSignal();
            }
            await _wake.Task;
        }
    }

    private void Hint(string id)
    {
        lock (_gate)
            _hints.Add(id);
        Wake();
    }

    private void Watch(JobInfo job)
    {
        lock (_gate)
            _schedule.Set(Scheduled(job));
    }

    // Only under _gate. Forgetting a finished job is quick and takes nobody's turn.
    private ScheduledJob Scheduled(JobInfo job) =>
        job.IsFinished
            ? new ScheduledJob(job.Id, DueAt(job), job.Version, null, null)
            : new ScheduledJob(job.Id, DueAt(job), job.Version, job.FairnessKey, job.ConcurrencyKey);

    // Only under _gate.
    private DateTimeOffset DueAt(JobInfo job) =>
        job.State == JobState.Running && _orphans.GetValueOrDefault(job.Id) == job.Fence
            ? DateTimeOffset.MinValue
            : JobStep.DueAt(job, _type.Options);

    // Zero, which no claim has, where there is none.
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

    private bool Knows(string id, long version)
    {
        lock (_gate)
            return _schedule.Knows(id, version);
    }

    private void Wake()
    {
        lock (_gate)
        {
            _isParked = false;
            _wake.TrySetResult();
        }
    }

    private bool IsOwn(DunlinEvent entry) => string.Equals(entry.Origin?.DeviceId, _origin.DeviceId, StringComparison.Ordinal);

    private static string? KeyOf(DunlinEvent entry)
    {
        var reader = new Utf8JsonReader(entry.Data.Span);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("key"u8))
                return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        }
        return null;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
