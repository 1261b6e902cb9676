using Dunlin.Leases;
using Dunlin.Relational.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Leases;

/// <summary>Expires leases in a store that several nodes share. The node that granted a lease schedules its expiry, but may be gone by
/// then. Thread-safe.</summary>
/// <remarks>All nodes run the sweep, each at a random time. Expiring a lease that another node has already expired has no effect.</remarks>
internal sealed class LeaseSweeper : IHostedService
{
    /// <summary>The mean interval of the sweep. If the node that granted a lease is gone, its expiry is announced up to 3.5 s
    /// late.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>The maximum number of leases in one sweep. The next sweep continues.</summary>
    private const int MaxLeases = 200;

    private readonly RelationalStore _store;
    private readonly LeaseService _leases;
    private readonly BackgroundLoop _loop;

    public LeaseSweeper(
        RelationalStore store,
        LeaseService leases,
        TimeProvider time,
        ILogger<LeaseSweeper> logger,
        BackgroundLoops? loops = null
    )
    {
        (_store, _leases) = (store, leases);
        _loop = BackgroundLoop.Periodic(
            "sweep of expired leases",
            static () => Interval * (0.75 + (Random.Shared.NextDouble() / 2)),
            SweepAsync,
            time,
            logger,
            loops
        );
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var due = await _store.ReadAsync(
            // Waits half an interval after the expiry, so that the node that granted the lease comes first.
            (scope, ct) =>
                ((ReadScope)scope)
                    .Session.Call("lease_due")
                    .Time(scope.Now - Interval / 2)
                    .Number(MaxLeases)
                    .ListAsync(static row => ResourceName.Parse(row.Text(0)), ct),
            cancellationToken
        );
        foreach (var resource in due)
            await _leases.SettleAsync(resource, cancellationToken);
        return due.Count;
    }
}
