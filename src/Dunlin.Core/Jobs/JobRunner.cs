using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>Runs the jobs of one type on one node. Thread-safe.</summary>
/// <remarks>
/// The store holds the due times. Commits of any node wake the runner, and so do polls of the journal. Only one node can claim a job.
/// </remarks>
internal sealed partial class JobRunner
{
    /// <summary>The prefix of a node's device id in the origin of its job events.</summary>
    public const string NodePrefix = "job-node:";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // guards the fields up to _nextPoll, and _foreign
    private readonly JobSchedule _schedule;
    private readonly HashSet<string> _hints = new(StringComparer.Ordinal);
    private readonly List<TaskCompletionSource> _idlers = [];

    // Fencing tokens of claims by an earlier process, by job id. Their expiry need not be waited for.
    private readonly Dictionary<string, long> _orphans = new(StringComparer.Ordinal);
    private TaskCompletionSource _wake = NewSignal();
    private bool _isParked;
    private bool _waitsOutFault; // the store has failed: wait for the retry, a commit or a stop
    private int _runningCount;
    private DateTimeOffset _nextPoll;

    private readonly JobType _type;
    private readonly IStore _store;
    private readonly IJournal _journal;
    private readonly StoreClock _clock;
    private readonly JobInstruments _instruments;
    private readonly ILogger _logger;
    private readonly EventOrigin _origin;
    private readonly string _nodeId;
    private readonly ITimer _timer;
    private bool _isAlone; // single-process store whose jobs have not been read yet: claims found then are orphans
    private long _followed;

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
        _nodeId = origin.DeviceId![NodePrefix.Length..];
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

    /// <summary>Handles commits of this node. Must be fast; does not throw.</summary>
    public void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Topic == Topic && !IsOwn(events[i]) && KeyOf(events[i]) is { } id)
                Hint(id);
        }
    }

    /// <summary>Handles events of the fan-out. Must be fast; does not throw.</summary>
    /// <remarks>Does not read the jobs of steps of workers, which run what they claim. Polling finds many claims at once.</remarks>
    public void OnHeard(DunlinEvent entry)
    {
        if (entry.Origin?.DeviceId?.StartsWith(NodePrefix, StringComparison.Ordinal) is true)
        {
            if (!IsOwn(entry))
                PollSoon();
        }
        else if (KeyOf(entry) is { } id && !Knows(id, entry.Position.Offset))
        {
            Hint(id);
        }
    }

    /// <summary>Runs until stopped and its jobs have ended. A commit or an ended job shortens the back-off after an error.</summary>
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
#pragma warning disable CA1031 // the store may be temporarily unavailable; due jobs stay due
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

    /// <summary>Completes when no job runs here, and no known job is due or the runner waits for the store to recover.</summary>
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

    /// <summary>Reads all jobs once: at start-up, and when retention has removed changes from the journal.</summary>
    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        _followed = _journal.Head.Offset; // read it first, so that changes during the load are found in the journal
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
        SetNextPoll(_clock.Now + _type.Options.PollInterval);
    }

    /// <summary>Polls the journal for changes by other nodes, if the poll interval has elapsed.</summary>
    /// <returns>False if retention has removed changes, so that all jobs must be read again.</returns>
    private async Task<bool> FollowAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_clock.Now < _nextPoll)
                return true;
            _nextPoll = _clock.Now + _type.Options.PollInterval;
        }
        while (true)
        {
            var page = await _journal.ReadAsync(new JournalQuery(_followed, [Topic]), cancellationToken);
            if (page.Trimmed)
            {
                SetNextPoll(default);
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

    /// <summary>Reads the jobs that notifications named.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        string[] ids;
        lock (_gate)
        {
            // Clear before the read: a notification during the read causes another one.
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
                    Forget(id);
                else
                    Set(job);
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
                if (_runningCount++ == 0)
                    ClaimsChanged?.Invoke();
            }
            // Not under the stopping token: a job that was taken from the schedule must be released.
            _ = Background.Run(() => TakeAsync(job, stopping));
        }
    }

    private async Task ParkAsync(TimeSpan? retry, CancellationToken stopping)
    {
        Task wake;
        lock (_gate)
        {
            // Wake() takes this lock too: its earlier calls are visible here, and later calls find the new signal.
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

    // Requires _gate. Returns false if a job is due. The deadline is absolute and the timer relative: re-arm if time advanced.
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

    // Requires _gate. Not zero while all slots, or those of the due jobs' keys, are in use: releasing a slot wakes the runner.
    private TimeSpan SleepFor(DateTimeOffset now)
    {
        var until = _nextPoll;
        if (_runningCount < _type.Options.MaxParallel && _schedule.NextAt(now) is { } next && next < until)
            until = next;
        return until <= now ? TimeSpan.Zero : until - now;
    }

    // Requires _gate.
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
            Set(job);
    }

    // Requires _gate. Removing a finished job is fast, so it has no keys and takes no turn.
    private ScheduledJob Scheduled(JobInfo job) =>
        job.IsFinished
            ? new ScheduledJob(job.Id, DueAt(job), job.Version, null, null)
            : new ScheduledJob(job.Id, DueAt(job), job.Version, job.FairnessKey, job.ConcurrencyKey);

    // Requires _gate.
    private DateTimeOffset DueAt(JobInfo job) =>
        job.State == JobState.Running && _orphans.GetValueOrDefault(job.Id) == job.Fence
            ? DateTimeOffset.MinValue
            : JobStep.DueAt(job, _type.Options);

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
