using System.Globalization;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Jobs;

/// <summary>Finds nodes that run jobs and show no sign of life, so that their jobs start again before the claims expire.
/// Thread-safe.</summary>
/// <remarks>
/// While a node runs jobs, it changes a row of its own once in each interval. The other nodes read the rows of the nodes whose claims they
/// know, in units of work of the same interval. A row that stays the same for several rounds belongs to a node that has ended.
/// <list type="bullet">
/// <item>No clock is read: a round counts, not a time. A node that was suspended itself counts one round, however long it was.</item>
/// <item>A round is a unit of work, although it may only read. If the database accepts no writes, the rows stay the same and no round
/// counts.</item>
/// <item>A failed round forgets all rounds before it: after an outage each node has the whole time-out again.</item>
/// <item>A wrong guess is harmless to the store: the fencing token refuses the writes of a node that was alive.</item>
/// </list>
/// Nodes without running jobs write nothing, and nodes that know no claims of others read nothing.
/// </remarks>
internal sealed partial class JobNodes
{
    private static readonly SpaceName Space = SpaceName.Parse("dunlin.jobs/nodes");

    private readonly Lock _gate = new(); // guards the fields up to _isArmed
    private readonly List<TaskCompletionSource> _idlers = [];
    private TaskCompletionSource _wake = NewSignal();
    private bool _isParked;
    private bool _isWoken;
    private bool _isTick;
    private bool _isArmed;

    private readonly Dictionary<string, (string? Beat, int Rounds)> _seen = new(StringComparer.Ordinal);
    private readonly IStore _store;
    private readonly IReadOnlyList<JobRunner> _runners;
    private readonly string _nodeId;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly TimeSpan _interval;
    private long _beats;

    /// <param name="store">The store of the jobs.</param>
    /// <param name="time">The time provider of the intervals.</param>
    /// <param name="nodeId">The id of this node in its claims.</param>
    /// <param name="runners">The runners of the types that have a time-out. At least one.</param>
    /// <param name="logger">The logger.</param>
    public JobNodes(IStore store, TimeProvider time, string nodeId, IReadOnlyList<JobRunner> runners, ILogger logger)
    {
        (_store, _nodeId, _runners, _logger) = (store, nodeId, runners, logger);
        _interval = runners.Min(static runner => runner.NodeTimeout) / RoundsOfTimeout;
        _timer = time.CreateTimer(static nodes => ((JobNodes)nodes!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        foreach (var runner in runners)
            runner.ClaimsChanged += Wake;
    }

    /// <summary>The rounds in the shortest time-out. Fewer would take a node for dead after one late write.</summary>
    public const int RoundsOfTimeout = 3;

    public async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        await using var _ = stopping.UnsafeRegister(static nodes => ((JobNodes)nodes!).Wake(), this);
        while (!stopping.IsCancellationRequested)
        {
            var isTick = await ParkAsync();
            try
            {
                if (!stopping.IsCancellationRequested)
                    await RoundAsync(isTick, stopping);
                loop.ReportSuccess();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
#pragma warning disable CA1031 // the next round retries
            catch (Exception error)
#pragma warning restore CA1031
            {
                _seen.Clear();
                loop.ReportFault(error);
            }
        }
        await _timer.DisposeAsync();
        lock (_gate)
        {
            _isParked = true;
            ReleaseIdlers();
        }
    }

    /// <summary>Completes when no round runs or is due.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (_isParked)
                return Task.CompletedTask;
            var idler = NewSignal();
            _idlers.Add(idler);
            return idler.Task;
        }
    }

    /// <summary>Shows that this node lives, if it runs jobs, and reads the rows of others. Between two intervals it reads only nodes that
    /// it has not seen: the time-out of a node begins at the first sight.</summary>
    private async Task RoundAsync(bool isTick, CancellationToken cancellationToken)
    {
        var watched = _runners.SelectMany(static runner => runner.ForeignWorkers()).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _seen.Keys.Where(node => !watched.Contains(node)).ToList())
            _seen.Remove(gone);
        var read = watched.Where(node => isTick || !_seen.ContainsKey(node)).ToList();
        var beat = isTick && _runners.Any(static runner => runner.RunsJobs) ? ++_beats : 0;
        if (beat == 0 && read.Count == 0)
            return;
        var rows = await _store.WriteAsync((unit, ct) => ExchangeAsync(unit, beat, read, ct), cancellationToken);
        foreach (var (node, row) in rows)
            _seen[node] = _seen.TryGetValue(node, out var seen) && seen.Beat == row ? (row, seen.Rounds + 1) : (row, 0);
        foreach (var runner in _runners)
        {
            var limit = (int)Math.Ceiling(runner.NodeTimeout / _interval);
            foreach (var node in read.Where(node => _seen[node].Rounds >= limit))
            {
                var jobs = runner.TakeOver(node);
                if (jobs > 0)
                    LogSilent(_logger, node, runner.NodeTimeout, jobs, runner.TypeName);
            }
        }
    }

    private async ValueTask<List<(string Node, string? Beat)>> ExchangeAsync(
        IUnitOfWork unit,
        long beat,
        List<string> read,
        CancellationToken cancellationToken
    )
    {
        var table = unit.RecordTables().Records;
        if (beat > 0)
        {
            // A deleted row, so that retention removes it some time after the node has ended. Version 0: no client misses it.
            var row = new RecordRow(Space, _nodeId)
            {
                DeletedAt = unit.Now,
                Value = Encoding.UTF8.GetBytes(beat.ToString(CultureInfo.InvariantCulture)),
            };
            await table.SaveAsync(row, cancellationToken);
        }
        var rows = new List<(string, string?)>(read.Count);
        foreach (var node in read)
            rows.Add(
                (node, await table.FindAsync(Space, node, cancellationToken) is { } row ? Encoding.UTF8.GetString(row.Value.Span) : null)
            );
        return rows;
    }

    private async Task<bool> ParkAsync()
    {
        Task wake;
        // Before the lock: runners raise ClaimsChanged under theirs. A change after this call wakes the loop, which looks again.
        var isActive = _runners.Any(static runner => runner.RunsJobs || runner.HasForeignClaims);
        lock (_gate)
        {
            if (!_isArmed && isActive)
            {
                _isArmed = true;
                _timer.Change(_interval, Timeout.InfiniteTimeSpan);
            }
            if (_isWoken || _isTick)
            {
                wake = Task.CompletedTask;
            }
            else
            {
                _isParked = true;
                _wake = NewSignal();
                wake = _wake.Task;
                ReleaseIdlers();
            }
        }
        await wake;
        lock (_gate)
        {
            var isTick = _isTick;
            (_isTick, _isWoken) = (false, false);
            return isTick;
        }
    }

    private void Tick()
    {
        lock (_gate)
        {
            (_isArmed, _isTick, _isParked) = (false, true, false);
            _wake.TrySetResult();
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            (_isWoken, _isParked) = (true, false);
            _wake.TrySetResult();
        }
    }

    // Requires _gate.
    private void ReleaseIdlers()
    {
        foreach (var idler in _idlers)
            idler.TrySetResult();
        _idlers.Clear();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(
        1306,
        LogLevel.Warning,
        "Node {Node} gave no sign of life for {Timeout}; {Jobs} jobs of type {Type} start again. If it still runs, look for pauses."
    )]
    private static partial void LogSilent(ILogger logger, PeerText node, TimeSpan timeout, int jobs, string type);
}
