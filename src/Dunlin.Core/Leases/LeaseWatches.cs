using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Leases;

/// <summary>Verifies the leases that handles of this process hold or wait for. Thread-safe.</summary>
/// <remarks>Verifies after each change by this process, and polls once per second for changes by other nodes.</remarks>
internal sealed partial class LeaseWatches
{
    // Rows per read scope.
    private const int RowsPerRead = 500;

    private readonly Lock _gate = new(); // guards _watches and _isPolling
    private readonly Dictionary<ResourceName, List<ILeaseWatch>> _watches = [];
    private readonly IStore _store;
    private readonly TimerWheel _wheel;
    private readonly ILogger _logger;
    private readonly WheelAction _tick;
    private bool _isPolling;

    public LeaseWatches(IStore store, TimerWheel wheel, ILogger logger)
    {
        _store = store;
        _wheel = wheel;
        _logger = logger;
        _tick = new WheelAction(() => _ = Background.Run(RunAsync));
    }

    public void Add(ILeaseWatch watch)
    {
        lock (_gate)
        {
            if (!_watches.TryGetValue(watch.Resource, out var watches))
                _watches.Add(watch.Resource, watches = []);
            watches.Add(watch);
            if (_isPolling)
                return;
            _isPolling = true;
        }
        _wheel.Schedule(_tick, TimerWheel.Slot);
    }

    public void Remove(ILeaseWatch watch)
    {
        lock (_gate)
        {
            if (_watches.TryGetValue(watch.Resource, out var watches) && watches.Remove(watch) && watches.Count == 0)
                _watches.Remove(watch.Resource);
        }
    }

    /// <summary>Handles a row that a unit of work saves. If the row affects a handle, it is read again after the unit has ended.</summary>
    public void OnChanging(LeaseRow row, DateTimeOffset now)
    {
        var concerned = Find(row.Resource).Where(watch => watch.IsConcernedBy(row, now)).ToList();
        if (concerned.Count > 0)
            // Drop the caller's context: inside a unit of work the store rejects another one.
            Background.Queue(state => _ = VerifyAsync(state.Resource, state.Concerned), (row.Resource, Concerned: concerned));
    }

    // Units of work run one at a time, so this one sees the result of the unit that made the change.
    private async Task VerifyAsync(ResourceName resource, List<ILeaseWatch> watches)
    {
        try
        {
            var turn = Lease.NextTurn();
            var (row, now) = await _store.WriteAsync(async (unit, ct) => (await unit.LeaseTable.FindAsync(resource, ct), unit.Now));
            foreach (var watch in watches)
                watch.OnRow(row, now, turn);
        }
#pragma warning disable CA1031 // the next poll verifies it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogVerificationFailed(_logger, exception);
        }
    }

    /// <summary>Reads the rows of all handles.</summary>
    public async Task PollAsync()
    {
        ResourceName[] resources;
        lock (_gate)
            resources = [.. _watches.Keys];
        foreach (var chunk in resources.Chunk(RowsPerRead))
            await PollAsync(chunk);
    }

    private async Task RunAsync()
    {
        lock (_gate)
        {
            _isPolling = _watches.Count > 0;
            if (!_isPolling)
                return;
        }
        try
        {
            await PollAsync();
        }
#pragma warning disable CA1031 // the next tick polls again; handles expire by their own clock
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogVerificationFailed(_logger, exception);
        }
        _wheel.Schedule(_tick, TimerWheel.Slot);
    }

    private async Task PollAsync(ResourceName[] resources)
    {
        // Collect the handles before their rows, so that no row is older than its handle.
        var watches = resources.Select(Find).ToList();
        var turn = Lease.NextTurn();
        var (rows, now) = await _store.ReadAsync(
            async (scope, ct) =>
            {
                var found = new List<LeaseRow?>(resources.Length);
                foreach (var resource in resources)
                    found.Add(await scope.LeaseTable.FindAsync(resource, ct));
                return (found, scope.Now);
            }
        );
        for (var i = 0; i < rows.Count; i++)
        {
            foreach (var watch in watches[i])
                watch.OnRow(rows[i], now, turn);
        }
    }

    private ILeaseWatch[] Find(ResourceName resource)
    {
        lock (_gate)
            return _watches.TryGetValue(resource, out var watches) ? [.. watches] : [];
    }

    [LoggerMessage(1103, LogLevel.Debug, "Verifying the leases of this process failed; retrying in about 1 s.")]
    private static partial void LogVerificationFailed(ILogger logger, Exception exception);
}

/// <summary>A handle, or a call that waits for one.</summary>
internal interface ILeaseWatch
{
    ResourceName Resource { get; }

    /// <summary>Returns whether a row differs from the state of the handle.</summary>
    bool IsConcernedBy(LeaseRow row, DateTimeOffset now);

    /// <summary>Applies the committed state. Called on the thread pool.</summary>
    /// <param name="row">The row; null if there is none.</param>
    /// <param name="now">The store's time of the read.</param>
    /// <param name="turn">The sequence number taken before the read; see <see cref="Lease.NextTurn"/>.</param>
    void OnRow(LeaseRow? row, DateTimeOffset now, long turn);
}
