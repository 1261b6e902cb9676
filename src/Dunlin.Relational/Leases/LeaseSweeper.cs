using Dunlin.Leases;
using Dunlin.Relational.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Leases;

/// <summary>
/// Ends leases that have expired and that nobody ends, in a store that several nodes share: a node reminds itself of the leases that it
/// granted, and may be gone when they expire. Every node looks, at its own moment; ending a lease that another has ended changes nothing.
/// </summary>
internal sealed partial class LeaseSweeper(RelationalStore store, LeaseService leases, TimeProvider time, ILogger<LeaseSweeper> logger)
    : BackgroundService
{
    /// <summary>How late an expiry may be announced where the node that granted the lease is gone.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Leases ended in one go; the rest at the next.</summary>
    private const int MaxLeases = 200;

    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var due = await store.ReadAsync(
            // One moment late, so that the node that granted the lease comes first.
            (scope, ct) =>
                ((ReadScope)scope)
                    .Session.Call("lease_due")
                    .Time(scope.Now - Interval / 2)
                    .Number(MaxLeases)
                    .ListAsync(static row => ResourceName.Parse(row.Text(0)), ct),
            cancellationToken
        );
        foreach (var resource in due)
            await leases.SettleAsync(resource, cancellationToken);
        return due.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval * (0.75 + (Random.Shared.NextDouble() / 2)), time, stoppingToken)
                .ContinueWith(static _ => { }, TaskScheduler.Default);
            try
            {
                if (!stoppingToken.IsCancellationRequested)
                    await SweepAsync(stoppingToken);
            }
#pragma warning disable CA1031 // tried again in a moment
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(
        2150,
        LogLevel.Warning,
        "Lease sweep failed; retrying in about 2 s. Leases of nodes that are gone may be released late."
    )]
    private partial void LogFailed(Exception exception);
}
